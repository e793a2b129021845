//! What a tree can't see, reach or outlive. Real processes, set up by the crate's own `sandbox-init`.
#![allow(clippy::unwrap_used)]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use boathouse_sandbox::{Grant, Level, Mount, Options, Outcome, Sandbox, SandboxError, Spec};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const MIB: u64 = 1 << 20;

struct Fixture {
    directory: TempDir,
    sandbox: Arc<Sandbox>,
}

impl Fixture {
    fn new() -> Self {
        Self::at(Level::Namespace)
    }

    fn at(level: Level) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("secret"), "the root key").unwrap();
        let options = Options {
            level,
            // The other one is for runs as a user who can't read the build's directory.
            init: Some(init_elsewhere().unwrap_or_else(|| env!("CARGO_BIN_EXE_sandbox-init").into())),
            hidden: vec![directory.path().to_owned()],
            ..Options::new(directory.path().join("work"))
        };
        Self { sandbox: Sandbox::open(options).unwrap(), directory }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_string_lossy().into_owned()
    }

    /// Runs a shell script and answers its end and what it said.
    async fn shell(&self, script: &str) -> (Outcome, String) {
        self.run(shell(script)).await
    }

    async fn run(&self, mut spec: Spec) -> (Outcome, String) {
        spec.merge_output = true;
        let mut running = self.sandbox.spawn(spec).await.unwrap();
        let mut output = running.stdout.take().unwrap();
        let mut text = String::new();
        output.read_to_string(&mut text).await.unwrap();
        (running.wait().await, text)
    }
}

fn init_elsewhere() -> Option<std::path::PathBuf> {
    std::env::var_os("BOATHOUSE_TEST_SANDBOX_INIT").map(Into::into)
}

fn shell(script: &str) -> Spec {
    let mut spec = Spec::new(["/bin/sh", "-c", script]);
    spec.environment.push(("PATH".into(), "/usr/bin:/bin".into()));
    spec
}

/// Perl is where a shell is, and can allocate, fork and open sockets.
fn perl(script: &str) -> Spec {
    Spec::new(["/usr/bin/perl", "-e", script])
}

#[tokio::test]
async fn a_command_runs_and_its_end_is_known() {
    let fixture = Fixture::new();
    assert_eq!(fixture.shell("echo out; echo err >&2; exit 3").await, (Outcome::Exited(3), "out\nerr\n".into()));
    let (outcome, _) = fixture.shell("kill -TERM $$").await;
    assert_eq!(outcome, Outcome::Signaled(15));
}

#[tokio::test]
async fn a_command_that_is_not_there_is_named() {
    let fixture = Fixture::new();
    let error = fixture.sandbox.spawn(Spec::new(["/usr/bin/no-such-program"])).await.unwrap_err();
    assert!(matches!(&error, SandboxError::Setup(message) if message.contains("no-such-program")), "{error}");
    let mut spec = Spec::new(["/bin/true"]);
    spec.mounts.push(Mount::read_only("/no/such/directory", "/var/task"));
    let error = fixture.sandbox.spawn(spec).await.unwrap_err();
    assert!(error.to_string().contains("/no/such/directory"), "{error}");
}

#[tokio::test]
async fn the_environment_is_the_given_one() {
    let fixture = Fixture::new();
    let mut spec = Spec::new(["/usr/bin/env"]);
    spec.environment.push(("ONLY".into(), "this = that".into()));
    assert_eq!(fixture.run(spec).await, (Outcome::Exited(0), "ONLY=this = that\n".into()));
}

#[tokio::test]
async fn mounts_are_read_only_and_the_rest_of_the_machine_is_not_there() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.path("code")).unwrap();
    std::fs::write(fixture.path("code/main"), "code\n").unwrap();
    let data = fixture.path("");
    let mut spec = shell(&format!(
        "cat /var/task/main; for f in /var/task/new /new /usr/new; do touch $f; done; ls {data} /root /home /srv"
    ));
    spec.mounts.push(Mount::read_only(fixture.path("code"), "/var/task"));
    let (_, text) = fixture.run(spec).await;
    assert!(text.starts_with("code\n"), "{text}");
    assert_eq!(text.matches("Read-only file system").count(), 3, "{text}");
    assert_eq!(text.matches("No such file").count(), 4, "{text}");
    assert!(!text.contains("secret"), "{text}");
    assert!(!Path::new("/new").exists() && !Path::new("/usr/new").exists());
}

#[tokio::test]
async fn hidden_directories_are_empty_even_inside_what_is_shown() {
    let fixture = Fixture::new();
    let parent = fixture.directory.path().parent().unwrap().to_owned();
    let name = fixture.directory.path().file_name().unwrap().to_string_lossy().into_owned();
    let mut spec =
        shell(&format!("ls -A /shown | grep -c {name}; ls -A /shown/{name}; cat /shown/{name}/secret; echo end"));
    spec.mounts.push(Mount::read_only(parent, "/shown"));
    let (_, text) = fixture.run(spec).await;
    assert!(text.starts_with("1\n") && text.ends_with("end\n") && !text.contains("root key"), "{text}");
}

#[tokio::test]
async fn other_processes_can_not_be_seen_or_signalled() {
    let fixture = Fixture::new();
    let server = std::process::id();
    let script = format!("ls -d /proc/[0-9]* | wc -l; kill -9 {server}; kill -9 1; echo alive");
    let (_, text) = fixture.shell(&script).await;
    let seen: u32 = text.lines().next().unwrap().trim().parse().unwrap();
    assert!(seen <= 5, "{text}");
    assert!(text.ends_with("alive\n"), "{text}");
}

#[tokio::test]
async fn nothing_but_the_granted_port_can_be_reached() {
    let fixture = Fixture::new();
    let outside = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = outside.local_addr().unwrap().port();
    let connect = |port: u16, host: &str| {
        format!(
            "socket(my $s, PF_INET, SOCK_STREAM, 0) or die 'socket'; \
             print connect($s, sockaddr_in({port}, inet_aton('{host}'))) ? 'yes ' : \"no ($!) \";"
        )
    };
    let refused =
        [connect(port, "127.0.0.1"), connect(53, "192.0.2.1")].map(|script| format!("{{ {script} }}")).concat();
    let granted = connect(9001, "127.0.0.1");
    let mut spec = perl(&format!(
        "use Socket; $| = 1; {refused} {granted} syswrite $s, 'ping'; sysread $s, my $answer, 9; print $answer; \
         socket(my $v, 40, SOCK_STREAM, 0) or print \" $!\""
    ));
    spec.grants.push(Grant::new((Ipv4Addr::LOCALHOST, 9001), |mut stream| {
        tokio::spawn(async move {
            let mut ping = [0; 4];
            stream.read_exact(&mut ping).await.unwrap();
            assert_eq!(&ping, b"ping");
            stream.write_all(b"pong").await.unwrap();
        });
    }));
    let (outcome, text) = fixture.run(spec).await;
    assert_eq!(outcome, Outcome::Exited(0), "{text}");
    let expected = "no (Connection refused) no (Network is unreachable) yes pong Operation not permitted";
    assert_eq!(text, expected);
}

#[tokio::test]
async fn a_forwarded_port_reaches_the_machine() {
    let fixture = Fixture::new();
    let outside = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target: SocketAddr = outside.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = outside.accept().await.unwrap();
        stream.write_all(b"from outside").await.unwrap();
    });
    let mut spec = perl(
        "use Socket; socket(my $s, PF_INET, SOCK_STREAM, 0); \
         connect($s, sockaddr_in(4566, inet_aton('127.0.0.1'))) or die $!; print <$s>;",
    );
    spec.grants.push(Grant::forward((Ipv4Addr::LOCALHOST, 4566), target));
    assert_eq!(fixture.run(spec).await, (Outcome::Exited(0), "from outside".into()));
}

#[tokio::test]
async fn time_ends() {
    let fixture = Fixture::new();
    let mut spec = shell("sleep 1000 & trap '' TERM INT HUP; echo started; wait; sleep 1000");
    spec.limits.wall = Some(Duration::from_millis(300));
    assert_eq!(fixture.run(spec).await, (Outcome::TimedOut, "started\n".into()));
}

#[tokio::test]
async fn memory_ends() {
    let fixture = Fixture::new();
    let mut spec = perl("my @all; push @all, 'x' x 1048576 while 1;");
    spec.limits.memory = 64 * MIB;
    spec.limits.scratch = 16 * MIB;
    let (outcome, _) = fixture.run(spec).await;
    assert_eq!(outcome, Outcome::OutOfMemory);
}

#[tokio::test]
async fn files_may_be_larger_than_memory_but_not_than_the_scratch_space() {
    let fixture = Fixture::new();
    let dd = |file: &str| format!("dd if=/dev/zero of=/tmp/{file} bs=1M count=96 2>&1");
    let mut spec = shell(&format!("{} | tail -1; {}; echo end", dd("a"), dd("b")));
    spec.limits.memory = 32 * MIB;
    spec.limits.scratch = 128 * MIB;
    let (outcome, text) = fixture.run(spec).await;
    assert_eq!(outcome, Outcome::Exited(0), "{text}");
    assert!(text.contains("No space left on device") && text.ends_with("end\n"), "{text}");
}

#[tokio::test]
async fn a_fork_bomb_stays_small() {
    let fixture = Fixture::new();
    let mut spec = perl(
        "for (1..1000) { my $p = fork; if (!defined $p) { print \"refused after $_\"; exit 7 } \
         if (!$p) { sleep 1000 } }",
    );
    spec.limits.processes = 40;
    let (outcome, text) = fixture.run(spec).await;
    assert_eq!(outcome, Outcome::Exited(7), "{text}");
    let forked: u32 = text.trim_start_matches("refused after ").parse().unwrap();
    assert!((20..=41).contains(&forked), "{text}");
}

#[tokio::test]
async fn privileges_can_not_be_gained() {
    let fixture = Fixture::new();
    let script = "id -u; grep -E 'CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status; \
                  mount -t tmpfs none /tmp; unshare -U true; chroot / true; cat /proc/1/environ; echo end";
    let (_, text) = fixture.shell(script).await;
    assert!(text.starts_with("993\n"), "{text}");
    assert!(text.contains("CapEff:\t0000000000000000"), "{text}");
    assert!(text.contains("CapBnd:\t0000000000000000"), "{text}");
    assert!(text.contains("NoNewPrivs:\t1") && text.contains("Seccomp:\t2"), "{text}");
    let refusals = text.matches("not permitted").count()
        + text.matches("ermission denied").count()
        + text.matches("must be superuser").count();
    assert!(refusals >= 3, "{text}");
}

#[tokio::test]
async fn killing_and_dropping_leave_nothing_behind() {
    let fixture = Fixture::new();
    let marker = format!("31{:05}", std::process::id());
    let script = format!("setsid sleep {marker} & sleep {marker} & echo started; wait");
    for drop_it in [false, true] {
        let mut running = fixture.sandbox.spawn(shell(&script)).await.unwrap();
        let mut line = [0; 8];
        running.stdout.as_mut().unwrap().read_exact(&mut line).await.unwrap();
        while processes_with(&marker) < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if drop_it {
            drop(running);
        } else {
            running.kill();
            assert_eq!(running.wait().await, Outcome::Killed);
            assert_eq!(running.outcome(), Some(Outcome::Killed));
        }
        while processes_with(&marker) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    assert_eq!(std::fs::read_dir(fixture.path("work/root")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(fixture.path("work/scratch")).unwrap().count(), 0);
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(&fixture.path("work")), "{mounts}");
}

fn processes_with(argument: &str) -> usize {
    let directories = std::fs::read_dir("/proc").unwrap().flatten();
    let command_lines = directories.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok());
    command_lines.filter(|line| line.split('\0').any(|part| part == argument)).count()
}

#[tokio::test]
async fn many_at_once_keep_apart() {
    let fixture = Arc::new(Fixture::new());
    let runs = (0..16).map(|number| {
        let fixture = Arc::clone(&fixture);
        tokio::spawn(async move { fixture.shell(&format!("echo {number} > /tmp/own; sleep 0.1; cat /tmp/*")).await })
    });
    for (number, run) in runs.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(run.await.unwrap(), (Outcome::Exited(0), format!("{number}\n")));
    }
}

#[tokio::test]
async fn without_namespaces_files_are_guarded_ports_translated_and_trees_ended() {
    let fixture = Fixture::at(Level::Process);
    std::fs::create_dir(fixture.path("code")).unwrap();
    std::fs::write(fixture.path("code/main"), "code\n").unwrap();
    let marker = format!("32{:05}", std::process::id());
    let mut spec = shell(&format!(
        "cat \"$CODE/main\"; echo x > \"$CODE/new\"; echo tmp > $TMPDIR/a; cat $TMPDIR/a; cat {}; echo $API; \
         setsid sleep {marker} & exit 4",
        fixture.path("secret")
    ));
    spec.environment.push(("CODE".into(), "/var/task".into()));
    spec.environment.push(("TMPDIR".into(), "/tmp".into()));
    spec.environment.push(("API".into(), "127.0.0.1:9001".into()));
    spec.mounts.push(Mount::read_only(fixture.path("code"), "/var/task"));
    spec.grants.push(Grant::new((Ipv4Addr::LOCALHOST, 9001), drop));
    let (outcome, text) = fixture.run(spec).await;
    assert_eq!(outcome, Outcome::Exited(4), "{text}");
    assert!(text.starts_with("code\n") && text.contains("tmp\n"), "{text}");
    assert_eq!(text.matches("ermission denied").count(), 2, "{text}");
    assert!(text.contains("127.0.0.1:") && !text.contains(":9001"), "{text}");
    assert_eq!(processes_with(&marker), 0);
    assert_eq!(std::fs::read_dir(fixture.path("work/scratch")).unwrap().count(), 0);
    let mut running = fixture.sandbox.spawn(shell("sleep 1000")).await.unwrap();
    running.kill();
    assert_eq!(running.wait().await, Outcome::Killed);
}
