//! Makes calls one after the other, as fast as they are answered: `rate COUNT METHOD`, once it reads a line.
//!
//! `clients/cobol/tests/sixty.py` runs it beside the same program in COBOL.

use std::io::{BufRead, Write};

use standin_client::{Connect, blocking::Client};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let count: u64 = arguments.next().ok_or("how many?")?.parse()?;
    let method = arguments.next().ok_or("which method?")?;
    let client = Client::open(Connect::new())?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "ready")?;
    stdout.flush()?;
    std::io::stdin().lock().read_line(&mut String::new())?;
    for _ in 0..count {
        if method == "text.match" {
            let arguments = serde_json::json!({ "text": "Invoice 4711", "pattern": "[0-9]{4}" });
            let is_match: bool = client.call(&method, &arguments)?;
            assert!(is_match, "there is a number in it");
        } else {
            let _: serde_json::Value = client.call(&method, &())?;
        }
    }
    client.close();
    writeln!(stdout, "done")?;
    Ok(())
}
