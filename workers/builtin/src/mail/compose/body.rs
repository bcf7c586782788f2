//! The parts of a mail: text, HTML, what is shown inside the HTML, and files.

use lettre::message::{
    Attachment as Part, Body, Message, MessageBuilder, MultiPart, SinglePart,
    header::{ContentTransferEncoding, ContentType},
};
use standin_worker::{Failure, shown};

use super::headers::one_line;
use crate::mail::{
    arguments::{Attachment, MailRequest},
    failure,
};

/// One part or several.
enum Piece {
    Single(SinglePart),
    Multi(MultiPart),
}

/// Puts the parts into the mail:
/// `mixed { alternative { text, related { html, shown inside } }, files }`, each level only where it is needed.
pub(super) fn fill(builder: MessageBuilder, request: &MailRequest) -> Result<Message, Failure> {
    let (mut shown, mut files) = (Vec::new(), Vec::new());
    for attachment in request.attachments.iter().flatten() {
        let part = part(attachment)?;
        if attachment.cid.is_some() {
            &mut shown
        } else {
            &mut files
        }
        .push(part);
    }
    let html = request.html.as_ref().map(|html| {
        let html = SinglePart::html(in_lines(html));
        if shown.is_empty() {
            return Piece::Single(html);
        }
        let related = MultiPart::related().singlepart(html);
        Piece::Multi(
            std::mem::take(&mut shown)
                .into_iter()
                .fold(related, MultiPart::singlepart),
        )
    });
    if !shown.is_empty() {
        let why = "an attachment with a \"cid\" is shown inside \"html\", and there is none";
        return Err(failure::bad_message(why));
    }
    let body = match (&request.text, html) {
        (text, None) => Piece::Single(SinglePart::plain(
            text.as_deref().map(in_lines).unwrap_or_default(),
        )),
        (None, Some(html)) => html,
        (Some(text), Some(html)) => {
            let alternative =
                MultiPart::alternative().singlepart(SinglePart::plain(in_lines(text)));
            Piece::Multi(match html {
                Piece::Single(html) => alternative.singlepart(html),
                Piece::Multi(html) => alternative.multipart(html),
            })
        }
    };
    let body = if files.is_empty() {
        body
    } else {
        let mixed = match body {
            Piece::Single(body) => MultiPart::mixed().singlepart(body),
            Piece::Multi(body) => MultiPart::mixed().multipart(body),
        };
        Piece::Multi(files.into_iter().fold(mixed, MultiPart::singlepart))
    };
    let built = match body {
        Piece::Single(part) => builder.singlepart(part),
        Piece::Multi(part) => builder.multipart(part),
    };
    built.map_err(|error| failure::bad_message(&error.to_string()))
}

/// With the one kind of line end that lettre knows how to write.
fn in_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn part(attachment: &Attachment) -> Result<SinglePart, Failure> {
    let name = one_line("attachment's name", &attachment.name)?;
    let kind = attachment
        .content_type
        .as_deref()
        .unwrap_or_else(|| guess(&name));
    let kind = one_line("attachment's \"content_type\"", kind)?;
    let kind = ContentType::parse(&kind)
        .map_err(|_| failure::bad_message(&format!("{} is no content type", shown(&kind))))?;
    let content = attachment.content.0.clone();
    // Always base64: a file is nobody's text, and its line ends must arrive as they are.
    let body = Body::new_with_encoding(content, ContentTransferEncoding::Base64)
        .expect("anything can be written as base64");
    let part = match &attachment.cid {
        None => Part::new(name),
        Some(cid) => {
            let cid = one_line("attachment's \"cid\"", cid)?;
            if cid.is_empty()
                || !cid
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'))
            {
                return Err(failure::bad_message(
                    "a \"cid\" holds only letters, digits and signs other than < and >",
                ));
            }
            Part::new_inline_with_name(cid, name)
        }
    };
    Ok(part.body(body, kind))
}

/// The type that a file of that name usually has.
fn guess(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "pdf" => "application/pdf",
        "txt" | "log" => "text/plain",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "xml" => "application/xml",
        "json" => "application/json",
        "zip" => "application/zip",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "ics" => "text/calendar",
        "rtf" => "application/rtf",
        "doc" => "application/msword",
        "xls" => "application/vnd.ms-excel",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "eml" => "message/rfc822",
        _ => "application/octet-stream",
    }
}
