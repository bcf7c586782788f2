//! Requests to stop: Ctrl-C and Ctrl-Break, the console that closes, and the machine that shuts down.

use std::io;

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown,
};

pub(super) struct StopRequests {
    interrupt: CtrlC,
    terminate: CtrlBreak,
    close: CtrlClose,
    shutdown: CtrlShutdown,
    #[cfg(all(feature = "failpoints", debug_assertions))]
    by_test: crate::failpoint::StopRequests,
}

impl StopRequests {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: ctrl_c()?,
            terminate: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
            #[cfg(all(feature = "failpoints", debug_assertions))]
            by_test: crate::failpoint::StopRequests::listen(),
        })
    }

    pub(super) async fn next(&mut self) {
        #[cfg(all(feature = "failpoints", debug_assertions))]
        let by_test = self.by_test.next();
        #[cfg(not(all(feature = "failpoints", debug_assertions)))]
        let by_test = std::future::pending::<()>();
        tokio::select! {
            () = by_test => {}
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.close.recv() => {}
            _ = self.shutdown.recv() => {}
        }
    }
}
