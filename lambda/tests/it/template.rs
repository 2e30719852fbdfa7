//! The template and the code agree. What CloudFormation thinks of the template is tested in `infra/tests`.

use std::collections::BTreeSet;
use std::path::Path;

use rolewatch_lambda::config::VARIABLES;

fn infra(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra").join(file)).unwrap()
}

#[test]
fn the_template_sets_exactly_the_variables_of_the_function() {
    let template = infra("template.yaml");
    let set: BTreeSet<&str> = template
        .split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
        .filter(|word| word.starts_with("ROLEWATCH_"))
        .collect();
    assert_eq!(set, VARIABLES.iter().map(|variable| variable.name).collect());
}
