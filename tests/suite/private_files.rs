//! What the service writes is for its owner alone, and a database that others can reach is not served.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use renaksi_tests::database::{Backend, Database};
use renaksi_tests::server::{PASSWORD, command};
use renaksi_tests::unique;
use renaksi_tests::workplace::Workplace;
use renaksi_tests::{on_both_databases, on_sqlite};

on_both_databases! {
    async fn exports_are_for_their_owner(app) {
        let folder = Workplace::get().join(unique::word());
        fs::create_dir(&folder).unwrap();
        let files = [folder.join("all.json"), folder.join("trail.ndjson")];
        // What others could read before is written anew.
        for file in &files {
            fs::write(file, "old").unwrap();
            fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
        }
        let csv = folder.join("csv");
        let outputs = [
            app.command(&["export", "--output", files[0].to_str().unwrap()]),
            app.command(&["audit", "export", "--output", files[1].to_str().unwrap()]),
            app.command(&["export", "--format", "csv", "--output", csv.to_str().unwrap()]),
        ];
        assert!(outputs.iter().all(|output| output.status.success()), "{outputs:?}");
        let listed = fs::read_dir(&csv).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
        assert!(listed.len() > 10, "{listed:?}");
        for file in files.iter().chain(&listed) {
            assert_eq!(mode(file), 0o600, "{}", file.display());
            assert!(fs::metadata(file).unwrap().len() > 3, "{}", file.display());
        }
    }
}

on_sqlite! {
    async fn a_database_file_is_for_its_owner(app) {
        if app.backend() != Backend::Sqlite {
            return;
        }
        let database = Database::empty(Backend::Sqlite);
        let made = command(&["migrate", "--database-url", &database.url()]).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        // Also while it is served, and what lies beside it.
        for file in files_of(&database).into_iter().chain(files_of(app.database())) {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
        let file = file_of(&database);
        for rights in [0o644, 0o640, 0o606] {
            fs::set_permissions(&file, Permissions::from_mode(rights)).unwrap();
            for refused in [serve(&database, &[]), command(&["migrate", "--database-url", &database.url()]).output().unwrap()] {
                assert!(!refused.status.success(), "{rights:o}");
                let said = String::from_utf8_lossy(&refused.stderr);
                assert!(said.contains(&format!("chmod 600 {}", file.display())), "{said}");
            }
        }
    }

    async fn a_weak_demo_is_not_started(app) {
        for (name, value) in [("RENAKSI_DEMO_PASSWORD", "x"), ("RENAKSI_DEMO_PASSWORD", "elevenchars"), ("RENAKSI_DEMO_CLIENT_SECRET", "x")] {
            let refused = serve(app.database(), &[(name, value)]);
            assert!(!refused.status.success(), "{name}={value}");
            let said = String::from_utf8_lossy(&refused.stderr);
            assert!(said.contains(name) && said.contains("at least 12 characters"), "{said}");
        }
    }
}

/// What a service says that does not start.
fn serve(database: &Database, settings: &[(&str, &str)]) -> Output {
    let mut serve = command(&["serve", "--demo", "--listen", "127.0.0.1:0", "--database-url", &database.url()]);
    serve.env("RENAKSI_DEMO_PASSWORD", PASSWORD).envs(settings.iter().copied()).output().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn file_of(database: &Database) -> PathBuf {
    PathBuf::from(database.url().trim_start_matches("sqlite://"))
}

/// The file of a database, and what lies beside it.
fn files_of(database: &Database) -> Vec<PathBuf> {
    let file = file_of(database);
    let beside = ["", "-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", file.display())));
    beside.into_iter().filter(|path| path.exists()).collect()
}
