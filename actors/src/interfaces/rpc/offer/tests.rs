use super::*;

async fn nothing(_: Rc<()>, _: ServiceIo, (): ()) -> Result<(), Failure> {
    Ok(())
}

async fn silence(_: Rc<()>, _: ServiceIo, (): (), _: ReplyChannel) {}

#[derive(Debug, Serialize, thiserror::Error)]
#[error("no")]
struct No;

fn mistakes(register: impl FnOnce(&mut Interfaces<()>)) -> Vec<String> {
    let mut interfaces = Interfaces::new();
    register(&mut interfaces);
    interfaces.take_mistakes().into_iter().map(|mistake| mistake.name).collect()
}

#[test]
fn methods_are_found_with_their_interface_and_without_it_where_there_is_one_alone() {
    let mut interfaces = Interfaces::<()>::new();
    interfaces.interface("a", "1").rpc("x", "", nothing).rpc("y", "", nothing).raw_rpc("ping", "", silence);
    interfaces.interface("b.c", "1").rpc("x", "", nothing);
    assert_eq!(interfaces.take_mistakes(), []);
    let place = |interface, method| Found::Method(Place { interface, method });
    assert_eq!(interfaces.find("a.x"), place(0, 0));
    assert_eq!(interfaces.find("b.c.x"), place(1, 0));
    assert_eq!(interfaces.find("y"), place(0, 1));
    assert_eq!(interfaces.find("ping"), Found::Ping);
    assert_eq!(interfaces.find("a.ping"), place(0, 2));
    let several = "several interfaces have a method `x`: say `a.x` or `b.c.x`";
    assert_eq!(interfaces.find("x"), Found::Nothing(several.to_owned()));
    assert_eq!(interfaces.find("z"), Found::Nothing("there is no method `z`".to_owned()));
    // Whoever offers nothing can say so.
    let nobody = Interfaces::<()>::new();
    assert_eq!((nobody.find("ping"), nobody.find("inspect")), (Found::Ping, Found::Inspect));
    assert_eq!(nobody.find("z"), Found::Nothing("the service offers no interface".to_owned()));
}

#[test]
fn what_is_there_already_and_what_is_no_name_are_mistakes() {
    let named = mistakes(|interfaces| {
        interfaces.interface("a", "1").rpc("x", "", nothing).raw_rpc("x", "", silence).rpc("x.y", "", nothing);
        interfaces.interface("a", "2").rpc("z", "", nothing);
        interfaces.interface("", "1");
        interfaces.interface("b", "1").rpc("x", "", nothing).raises::<No>("No").raises::<No>("Nay");
    });
    assert_eq!(named, ["a.x", "a.x.y", "a", "", "x, the error `Nay`"]);
}

#[test]
fn what_takes_the_rest_takes_what_no_method_is_called_by() {
    async fn any(_: Rc<()>, _: ServiceIo, _: Value, _: ReplyChannel) {}
    let otherwise = Found::Method(OTHERWISE);
    let mut interfaces = Interfaces::<()>::new();
    interfaces.otherwise(any);
    for name in ["anything", "a.x", "ping", "inspect", ""] {
        assert_eq!(interfaces.find(name), otherwise, "{name}");
    }
    interfaces.interface("a", "1").rpc("x", "", nothing).rpc("y", "", nothing);
    interfaces.interface("b", "1").rpc("y", "", nothing);
    assert_eq!(interfaces.find("anything"), otherwise);
    assert_eq!(interfaces.find("a.x"), Found::Method(Place { interface: 0, method: 0 }));
    assert_eq!([interfaces.find("ping"), interfaces.find("inspect")], [Found::Ping, Found::Inspect]);
    assert!(matches!(interfaces.find("y"), Found::Nothing(_)), "there are two of that name");
}
