//! A terminal with somebody at it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};

use crate::wrapper::{until, wait};

/// What Ctrl-C and Ctrl-Z send.
pub(crate) const CTRL_C: &str = "\x03";
pub(crate) const CTRL_Z: &str = "\x1a";

/// Both sides of a new terminal. Kept from every other child from the start: a copy of the keyboard in another test's child would
/// keep the terminal from ever going away.
fn terminal() -> (File, File) {
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).expect("a terminal");
    grantpt(&master).expect("granted");
    unlockpt(&master).expect("unlocked");
    let name = ptsname_r(&master).expect("a name");
    let slave = File::options().read(true).write(true).custom_flags(nix::libc::O_NOCTTY).open(name).expect("its other side");
    (File::from(OwnedFd::from(master)), slave)
}

/// A program that leads a session on a pseudo-terminal of its own.
pub(crate) struct Session {
    child: Child,
    keyboard: Option<Arc<File>>,
    screen: Arc<Mutex<String>>,
    is_closed: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Session {
    #[allow(unsafe_code)]
    pub(crate) fn open(mut command: Command) -> Self {
        let (master, slave) = terminal();
        let copy = || slave.try_clone().expect("a copy");
        command.stdin(copy()).stdout(copy()).stderr(copy());
        let terminal = slave.as_raw_fd();
        // SAFETY: setsid and ioctl are async-signal-safe.
        unsafe {
            command.pre_exec(move || {
                nix::unistd::setsid()?;
                match nix::libc::ioctl(terminal, nix::libc::TIOCSCTTY, 0) {
                    0 => Ok(()),
                    _ => Err(std::io::Error::last_os_error()),
                }
            });
        }
        let child = command.spawn().expect("a start");
        drop(command);
        let (screen, is_closed, master) = (Arc::new(Mutex::new(String::new())), Arc::new(AtomicBool::new(false)), Arc::new(master));
        let reader = {
            let (screen, is_closed, master) = (Arc::clone(&screen), Arc::clone(&is_closed), Arc::clone(&master));
            std::thread::spawn(move || {
                let mut bytes = [0; 4096];
                while !is_closed.load(Ordering::SeqCst) {
                    let mut fds = [PollFd::new(master.as_fd(), PollFlags::POLLIN)];
                    if poll(&mut fds, PollTimeout::from(20u8)) != Ok(1) {
                        continue;
                    }
                    match (&*master).read(&mut bytes) {
                        Ok(count) if count > 0 => {
                            screen.lock().expect("not poisoned").push_str(&String::from_utf8_lossy(&bytes[..count]));
                        }
                        // Linux says EIO once nobody has the other side open.
                        _ => break,
                    }
                }
            })
        };
        Session { child, keyboard: Some(master), screen, is_closed, reader: Some(reader) }
    }

    pub(crate) fn press(&self, keys: &str) {
        let mut keyboard = &**self.keyboard.as_ref().expect("the terminal is there");
        keyboard.write_all(keys.as_bytes()).expect("typed");
    }

    /// Whether what is typed is shown, and which process group the terminal belongs to.
    pub(crate) fn state(&self) -> (bool, i32) {
        let terminal = self.keyboard.as_ref().expect("the terminal is there");
        let modes = nix::sys::termios::tcgetattr(&**terminal).expect("modes");
        let group = nix::unistd::tcgetpgrp(&**terminal).expect("a group");
        (modes.local_flags.contains(nix::sys::termios::LocalFlags::ECHO), group.as_raw())
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid")
    }

    pub(crate) fn screen(&self) -> String {
        self.screen.lock().expect("not poisoned").clone()
    }

    /// Waits until the screen shows a text.
    #[track_caller]
    pub(crate) fn see(&self, text: &str) {
        until(&format!("the screen shows {text:?}"), || self.screen().contains(text));
    }

    /// The window is closed, or the line drops.
    pub(crate) fn hang_up(&mut self) {
        self.is_closed.store(true, Ordering::SeqCst);
        if let Some(reader) = self.reader.take() {
            reader.join().expect("no panic");
        }
        self.keyboard = None;
    }

    pub(crate) fn status(&mut self) -> i32 {
        wait(&mut self.child)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.hang_up();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
