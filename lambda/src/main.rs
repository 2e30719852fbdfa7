//! The function's process: reads the configuration, builds the client once, then answers one delivery after another.

use std::process::ExitCode;

use aws_config::BehaviorVersion;
use lambda_runtime::{LambdaEvent, service_fn};
use rolewatch_lambda::config::Config;
use rolewatch_lambda::exceptions::Book;
use rolewatch_lambda::handler::Handler;
use rolewatch_lambda::memory::Store;
use rolewatch_lambda::sink::both::Both;
use rolewatch_lambda::sink::chat::ChatSink;
use rolewatch_lambda::sink::events::EventSink;
use rolewatch_lambda::sink::sns::SnsSink;
use rolewatch_lambda::{start, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::init();
    let config = match Config::from_variables(std::env::vars_os()) {
        Ok(config) => config,
        Err(error) => return start::refuse(&error),
    };
    // Credentials and the certificates of the system, read once for every client.
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let chat = config.chat_topic.clone().map(|topic| ChatSink::connect(&aws, topic));
    let bus = config.event_bus.clone().map(|bus| EventSink::connect(&aws, bus));
    let sink = Both(Both(SnsSink::connect(&aws, config.alert_topic.clone()), chat), bus);
    let book = Book::open(&aws, config.exceptions.clone());
    let store = Store::open(&aws, config.memory_table.clone());
    let handler = Handler::new(config, sink, book, store);
    // Boxed, because its future holds those of every service.
    let answer = service_fn(async |event: LambdaEvent<_>| Box::pin(handler.handle(&event)).await);
    match lambda_runtime::run(answer).await {
        Ok(()) => ExitCode::SUCCESS,
        // The runtime interface is gone, and with it whoever could be told; the runtime has logged why.
        Err(_) => ExitCode::FAILURE,
    }
}
