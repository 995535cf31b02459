//! Takes out of Swagger UI what the interactive reference needs, compressed: a third of its files, and a fifth of their size.

use std::error::Error;
use std::io::{Cursor, Read, Write};
use std::path::PathBuf;
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

const FILES: [&str; 3] = ["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = PathBuf::from(env::var("OUT_DIR")?);
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for name in FILES {
        let is_it = |path: &str| path.ends_with(&format!("/dist/{name}")) && !path.contains("/flavors/");
        let mut paths = archive.file_names().filter_map(|path| path.ok().map(|path| path.into_owned()));
        let path = paths.find(|path| is_it(path)).ok_or_else(|| format!("Swagger UI has no {name}"))?;
        drop(paths);
        let mut plain = Vec::new();
        archive.by_name(&path)?.read_to_end(&mut plain)?;
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&plain)?;
        fs::write(folder.join(format!("{name}.gz")), packed.finish()?)?;
    }
    Ok(())
}
