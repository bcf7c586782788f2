use std::path::Path;

use rusqlite::Connection;

use super::{super::open, *};

/// A writer whose thread is this one, over a database with many free pages.
fn with_free_pages(folder: &Path) -> Writer {
    let connection = open::database(folder).unwrap();
    connection.busy_timeout(Duration::ZERO).unwrap();
    let text = "CREATE TABLE filler (bytes BLOB); INSERT INTO filler VALUES (zeroblob(20000000)); DROP TABLE filler";
    connection.execute_batch(text).unwrap();
    let database = Database::new(connection, "this-boot".to_owned());
    let (_, queue) = mpsc::channel();
    let disk = Disk::new(folder, clock::now());
    Writer::new(database, queue, disk, Arc::default(), Fatal::new(folder))
}

#[test]
fn the_database_is_made_smaller_another_time_while_somebody_else_writes_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = with_free_pages(folder.path());
    let pages = |writer: &Writer| {
        let text = "PRAGMA page_count";
        let pages = writer
            .database
            .connection
            .query_row(text, [], |row| row.get(0));
        pages.unwrap()
    };
    let before: u32 = pages(&writer);
    let other = Connection::open(folder.path().join(open::FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // It would end this process.
    writer.shrink();
    assert_eq!(pages(&writer), before);
    other.execute_batch("ROLLBACK").unwrap();
    writer.shrink();
    assert!(pages(&writer) < before);
}
