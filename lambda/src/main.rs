//! The function's process: reads the configuration, builds the client once, then answers one delivery after another.

use std::process::ExitCode;

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
    let chat = match config.chat_topic.clone() {
        Some(topic) => Some(ChatSink::connect(topic).await),
        None => None,
    };
    let bus = match config.event_bus.clone() {
        Some(bus) => Some(EventSink::connect(bus).await),
        None => None,
    };
    let sink = Both(Both(SnsSink::connect(config.alert_topic.clone()).await, chat), bus);
    let book = Book::open(config.exceptions.clone()).await;
    let store = Store::open(config.memory_table.clone()).await;
    let handler = Handler::new(config, sink, book, store);
    // Boxed, because its future holds those of every service.
    let answer = service_fn(async |event: LambdaEvent<_>| Box::pin(handler.handle(&event)).await);
    match lambda_runtime::run(answer).await {
        Ok(()) => ExitCode::SUCCESS,
        // The runtime interface is gone, and with it whoever could be told; the runtime has logged why.
        Err(_) => ExitCode::FAILURE,
    }
}
