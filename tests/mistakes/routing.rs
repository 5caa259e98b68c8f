//! Mistakes in routers, virtual networks, permissions, directories and gateways.

use super::assert_mistakes;

#[test]
fn ways_and_memberships_that_cannot_be() {
    assert_mistakes(
        "routing",
        r#"
"#,
    );
}
