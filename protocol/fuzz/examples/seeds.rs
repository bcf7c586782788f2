//! Writes the seeds of both targets from the fixtures.

#[path = "../../tests/wire/annotated.rs"]
mod annotated;

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    fs::create_dir_all(folder.join("stream"))?;
    fs::create_dir_all(folder.join("decode"))?;
    for (file, _) in annotated::FIXTURES {
        let all = annotated::fixtures(file)
            .into_iter()
            .map(|fixture| fixture.bytes);
        // Under the small limits, in pieces of 26, 1 and 122 bytes.
        let stream = [vec![1, 5, 0, 11, 0], all.collect::<Vec<_>>().concat()].concat();
        fs::write(folder.join("stream").join(format!("{file}.all")), stream)?;
        for fixture in annotated::fixtures(file) {
            let name = format!("{file}.{}", fixture.name);
            let is_value = ["errors", "meta", "wrong_meta"].contains(&file);
            let (target, bytes) = if is_value {
                ("decode", fixture.bytes.to_vec())
            } else {
                // The usual limits, and pieces of 2, 1, 10 and 50 bytes.
                ("stream", [&[0, 1, 0, 3, 7], &fixture.bytes[..]].concat())
            };
            fs::write(folder.join(target).join(&name), bytes)?;
            if let Some(params) = first_argument(file, &fixture.bytes) {
                fs::write(
                    folder
                        .join("decode")
                        .join(format!("{file}.{}", fixture.name)),
                    params,
                )?;
            }
        }
    }
    Ok(())
}

/// What a request brings, where a decoder would look into it: the hello of a worker, the calls of a batch.
fn first_argument(file: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    use standin_protocol::{Limits, Message, Splitter, value};
    if file != "worker" && file != "requests" {
        return None;
    }
    let mut splitter = Splitter::new(Limits::default());
    splitter.push(bytes);
    let Ok(Some(Message::Request(request))) = splitter.next_message() else {
        return None;
    };
    let items = value::array_items(&request.params).ok()?;
    Some(items.first()?.to_vec())
}
