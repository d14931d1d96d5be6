//! `init`: a new project that builds at once.

use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Result, codes};

/// The files of a new project: path and content; `NAME` is replaced.
const FILES: &[(&str, &str)] = &[
    ("dbt_project.yml", include_str!("init/dbt_project.yml")),
    ("profiles.yml", include_str!("init/profiles.yml")),
    ("models/orders.sql", include_str!("init/orders.sql")),
    ("models/daily_sales.sql", include_str!("init/daily_sales.sql")),
    ("models/_models.yml", include_str!("init/_models.yml")),
    ("seeds/raw_orders.csv", include_str!("init/raw_orders.csv")),
    (".gitignore", include_str!("init/gitignore")),
];

/// Makes the project `name` in a folder of that name under `parent`.
///
/// # Errors
/// C1010 for a name that no project can have or a folder that is not empty, C5006 if a file cannot be written.
pub fn init(parent: &Path, name: &str) -> Result<PathBuf> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !plain || name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Diagnostic::error(codes::BAD_ARGUMENT, format!("`{name}` cannot be the name of a project"))
            .help("use letters, digits and `_`, and start with a letter: `c360 init customer_360`"));
    }
    let root = parent.join(name);
    let is_taken = std::fs::read_dir(&root).is_ok_and(|mut entries| entries.next().is_some());
    if is_taken {
        return Err(Diagnostic::error(codes::BAD_ARGUMENT, format!("`{}` is there already", root.display()))
            .help("choose another name, or empty the folder"));
    }
    for (path, content) in FILES {
        let path = root.join(path);
        let write = || -> std::io::Result<()> {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&path, content.replace("NAME", name))
        };
        write().map_err(|error| {
            Diagnostic::error(codes::STORE_ERROR, format!("`{}` cannot be written: {error}", path.display()))
        })?;
    }
    Ok(root)
}
