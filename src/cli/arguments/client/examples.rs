//! What stands at the end of the help of each command.

/// Of those who ask somebody else.
const CODES: &str = "\
Exit code: 0 for a reply, 1 for an error, a refusal or a message that was lost,
2 for a mistake on the command line, 3 if time ran out, 4 if it could not be
delivered, 5 if the connection broke or the service was gone before there was an
answer: then, as with 3, it may have been carried out.";

/// The commands with the end of their help, for a program of that name.
pub(in crate::cli) fn add_to(command: clap::Command, program: &str) -> clap::Command {
    let texts = [
        (
            "call",
            format!(
                "\
Examples:
  {program} call cart add customer=ann item=7 count=2
  {program} call 'workers.*' status                whichever can be reached
  {program} call calculator add 19 23              by position
  {program} call orders place '{{\"customer\": 7}}'    all of them as JSON
  {program} call cart find zip='\"01234\"'           text, whatever it looks like
  {program} call cart list --registry http://a:5000/api

The result goes to the standard output, how long it took to the standard error.

{CODES}"
            ),
        ),
        (
            "call-raw",
            format!(
                "\
Examples:
  {program} call-raw http://127.0.0.1:5000/api get_service_specs
  {program} call-raw http://127.0.0.1:8080/api cart.add customer=ann item=7

{CODES}"
            ),
        ),
        (
            "request",
            format!(
                "\
Examples:
  {program} request cart list customer=ann         one call, and its result
  {program} request cart list customer=ann -N 1000 -C 16
  {program} request GET frontend/catalogue -N 1000 -C 16
  {program} request GET frontend/items page=2      a query: ?page=2
  {program} request POST frontend/orders item=7    a JSON body
  {program} request echo echo hello --for 10s --rate 500
  {program} request http://127.0.0.1:5000/api say_hello name=ann -N 100

Ctrl-C ends it with the figures so far.

{CODES}
If requests ended in several of these ways, it is 1."
            ),
        ),
        (
            "inspect",
            format!(
                "\
Examples:
  {program} inspect cart
  {program} inspect http://127.0.0.1:5000/api
  {program} inspect cart --json | jq '.interfaces[].methods[].name'

{CODES}"
            ),
        ),
        (
            "discover",
            format!(
                "\
Examples:
  {program} discover
  {program} discover 'workers.*'
  {program} discover --registry http://a:5000/api --registry http://b:5000/api

{CODES}"
            ),
        ),
        (
            "emit",
            format!(
                "\
Examples:
  {program} emit orders.placed customer=ann total=9.5
  {program} emit stock.low '[\"socks\", 3]'
  {program} emit shop.closed                       with null as its body

{CODES}"
            ),
        ),
        (
            "subscribe",
            format!(
                "\
Examples:
  {program} subscribe '#'                          everything
  {program} subscribe 'orders.*' -n 10
  {program} subscribe 'orders.*' --json | jq .body

Ctrl-C ends it, and so does whoever reads its output and stops (`| head -3`).

Exit code: 0 when the stream ended or was ended, 1 for an error or a refusal, 2
for a mistake on the command line, 3 if time ran out before it began, 4 if
nobody could be reached, 5 if the connection broke, or ended before the events
that -n asks for."
            ),
        ),
        (
            "completions",
            format!(
                "\
Examples:
  {program} completions bash > /etc/bash_completion.d/{program}
  {program} completions zsh > ~/.zfunc/_{program}
  {program} completions fish > ~/.config/fish/completions/{program}.fish"
            ),
        ),
        (
            "manual",
            format!(
                "\
Examples:
  {program} manual | man -l -
  {program} manual call | man -l -
  {program} manual --into ~/.local/share/man/man1"
            ),
        ),
    ];
    texts.into_iter().fold(command, |command, (name, text)| command.mut_subcommand(name, |it| it.after_help(text)))
}
