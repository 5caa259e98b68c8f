//! Calling whoever provides something, and another one if that one cannot have done it.

use serde_json::Value;

use crate::interfaces::rpc::Proxy;
use crate::prelude::*;

/// Calls a provider that is drawn at random from those in the directory; if it certainly has not done
/// it, another one, of at most `tries`. Counts the `calls tried elsewhere`.
///
/// # Errors
/// Those of the last call, or of the search for a provider.
pub(super) async fn try_providers<Calling>(
    io: &ServiceIo,
    name: &str,
    tries: u32,
    call: impl Fn(Proxy) -> Calling,
) -> Result<Value, CallError>
where
    Calling: Future<Output = Result<Value, CallError>>,
{
    let mut providers = io.directory().wait_for(name).await?;
    io.random(|stream| stream.shuffle(&mut providers));
    let mut answer = Err(Undelivered::UnknownService(name.to_owned()).into());
    for (number, provider) in providers.iter().take(tries as usize).enumerate() {
        if number > 0 {
            io.count("calls tried elsewhere", 1);
        }
        answer = call(io.rpc().proxy(provider.address)).await;
        if answer.as_ref().err().is_none_or(|error| !error.may_be_tried_again(false)) {
            break;
        }
    }
    answer
}
