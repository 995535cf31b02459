//! Steps of the schema only add, so that a replica of the version before goes on serving while a new one takes them.

use std::fs;
use std::path::Path;

use syn::visit::Visit;
use syn::{ExprMethodCall, LitStr};

/// The last step that is older than the rule; docs/operations/backup.md says what follows from that.
const BEFORE_THE_RULE: &str = "m0015";

/// What takes something away, or asks more of rows than the version before gives them.
const METHODS: [&str; 10] = [
    "drop_table",
    "drop_column",
    "drop_foreign_key",
    "rename_table",
    "rename_column",
    "rename",
    "modify_column",
    "drop_view",
    "truncate_table",
    "exec_stmt_unchecked",
];
/// The same in SQL: words that follow each other.
const WORDS: [&[&str]; 11] = [
    &["DROP", "TABLE"],
    &["DROP", "COLUMN"],
    &["DROP", "CONSTRAINT"],
    &["DROP", "VIEW"],
    &["DROP", "DEFAULT"],
    &["RENAME"],
    &["SET", "NOT", "NULL"],
    &["TYPE"],
    &["ADD", "CONSTRAINT"],
    &["TRUNCATE"],
    &["DELETE", "FROM"],
];

#[derive(Default)]
struct Taking(Vec<String>);

impl<'ast> Visit<'ast> for Taking {
    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let name = call.method.to_string();
        if METHODS.contains(&name.as_str()) {
            self.0.push(format!(".{name}(…)"));
        }
        if name == "add_column" && requires(call) {
            self.0.push("a column that must be there and has no default".to_owned());
        }
        syn::visit::visit_expr_method_call(self, call);
    }

    fn visit_lit_str(&mut self, text: &'ast LitStr) {
        let text = text.value().to_uppercase();
        let words =
            text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>();
        let is_sql =
            ["ALTER", "CREATE", "DROP", "DELETE", "TRUNCATE", "UPDATE", "INSERT"].iter().any(|word| words.first() == Some(word));
        for taking in WORDS.iter().filter(|taking| is_sql && words.windows(taking.len()).any(|some| some == **taking)) {
            self.0.push(taking.join(" "));
        }
        if is_sql && words.windows(2).any(|two| two == ["ADD", "COLUMN"]) && words.windows(2).any(|two| two == ["NOT", "NULL"]) {
            let has_default = words.contains(&"DEFAULT");
            if !has_default {
                self.0.push("a column that must be there and has no default".to_owned());
            }
        }
    }
}

/// Whether a column that is added must be there, without a default.
fn requires(call: &ExprMethodCall) -> bool {
    #[derive(Default)]
    struct Said(Vec<String>);
    impl<'ast> Visit<'ast> for Said {
        fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
            self.0.push(call.method.to_string());
            syn::visit::visit_expr_method_call(self, call);
        }
    }
    let mut said = Said::default();
    call.args.iter().for_each(|argument| said.visit_expr(argument));
    let says = |name: &str| said.0.iter().any(|said| said == name);
    // Those that a column is made with, and which are never null.
    (says("not_null") || says("required_text") || says("boolean") || says("uuid")) && !says("default")
}

fn taking(source: &str) -> Vec<String> {
    let mut taking = Taking::default();
    taking.visit_file(&syn::parse_file(source).unwrap());
    taking.0
}

#[test]
fn every_new_step_only_adds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migration/src");
    let mut steps = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    steps.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let (mut older, mut newer) = (0, 0);
    for path in steps.iter().filter(|path| name(path).starts_with("m0")) {
        if name(path).get(..5).is_some_and(|number| number <= BEFORE_THE_RULE) {
            older += 1;
            continue;
        }
        newer += 1;
        let found = taking(&fs::read_to_string(path).unwrap());
        assert!(
            found.is_empty(),
            "{} takes away what the version before uses: {found:?}. Add first, and remove in a later version: see \
             docs/operations/backup.md",
            name(path)
        );
    }
    assert!(older >= 13, "only {older} steps were found");
    println!("{newer} steps after {BEFORE_THE_RULE} only add");
}

#[test]
fn what_takes_away_is_found() {
    let step = |body: &str| taking(&format!("async fn up(manager: &M) {{ {body} }}"));
    for wrong in [
        "manager.drop_table(x).await;",
        r#"manager.alter_table(Table::alter().table("kpi").drop_column("note").take()).await;"#,
        r#"manager.alter_table(Table::alter().table("kpi").add_column(c.required_text("note")).take()).await;"#,
        r#"manager.alter_table(Table::alter().table("kpi").add_column(c.integer("note").not_null().take()).take()).await;"#,
        r#"db.execute_unprepared("ALTER TABLE kpi RENAME COLUMN a TO b").await;"#,
        r#"db.execute_unprepared("alter table kpi alter column a set not null").await;"#,
        r#"db.execute_unprepared("ALTER TABLE kpi ADD COLUMN a text NOT NULL").await;"#,
        r#"db.execute_unprepared("DELETE FROM kpi").await;"#,
    ] {
        assert!(!step(wrong).is_empty(), "{wrong}");
    }
    for right in [
        r#"manager.alter_table(Table::alter().table("kpi").add_column(c.text("note")).take()).await;"#,
        r#"manager.alter_table(Table::alter().table("kpi").add_column(c.boolean("a").default(false).take()).take()).await;"#,
        r#"manager.create_table(Table::create().table("new").col(c.required_text("code")).take()).await;"#,
        r#"db.execute_unprepared("ALTER TABLE event ADD COLUMN a bigint NOT NULL DEFAULT 0").await;"#,
        r#"db.execute_unprepared("CREATE INDEX ix_a ON kpi (a)").await;"#,
    ] {
        assert!(step(right).is_empty(), "{right}: {:?}", step(right));
    }
}
