//! Calls to a scheduler.

use std::collections::HashMap;
use std::time::Duration;

use ballista_core::BALLISTA_VERSION;
use ballista_core::config::BallistaConfig;
use ballista_core::extension::BallistaGrpcMetadataInterceptor;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::get_job_status_result::FlightProxy;
use ballista_core::serde::protobuf::job_status::Status;
use ballista_core::serde::protobuf::operator_metric::Metric;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    CancelJobParams, ExecuteQueryParams, GetJobMetricsParams, GetJobStatusParams, KeyValuePair, execute_query_result,
};
use ballista_core::utils::{GrpcClientConfig, create_grpc_client_endpoint};
use ballista_core::version::BALLISTA_VERSION_HEADER;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::session::MAX_MESSAGE;

/// How long a scheduler may take to answer a connection.
const ANSWER: Duration = Duration::from_secs(5);

/// What is asked of a scheduler.
pub(super) enum Call {
    /// Run a physical plan.
    Submit { plan: Vec<u8>, settings: Vec<KeyValuePair>, session: String },
    /// How is a job?
    Status(String),
    /// How many bytes has a job spilled?
    Spilled(String),
    /// End a job.
    Cancel(String),
}

/// What it answers.
pub(super) enum Answer {
    /// The id of a new job.
    Submitted(String),
    /// How a job is, and whom to ask for its rows.
    Status(Option<Status>, Option<FlightProxy>),
    Spilled(u64),
    Cancelled,
}

/// Why it does not.
#[derive(Debug)]
pub(super) struct Refused {
    /// True if it may be only away.
    pub(super) away: bool,
    pub(super) why: String,
}

/// A connection, whose type is nobody's business. It is made again by itself when it breaks.
pub(super) type Caller = Box<dyn Fn(Call) -> BoxFuture<'static, Result<Answer, Refused>> + Send + Sync>;

/// Connects to the scheduler at `url`.
pub(super) async fn connect(url: &str) -> Result<Caller, String> {
    let config = GrpcClientConfig::from(&BallistaConfig::default());
    let endpoint = create_grpc_client_endpoint(url.to_string(), Some(&config)).map_err(|error| causes(&error))?;
    let connection = match tokio::time::timeout(ANSWER, endpoint.connect()).await {
        Ok(connection) => connection.map_err(|error| causes(&error))?,
        Err(_) => return Err("it does not answer".to_string()),
    };
    // Schedulers ask every client for its version.
    let version = HashMap::from([(BALLISTA_VERSION_HEADER.to_string(), BALLISTA_VERSION.to_string())]);
    let client = SchedulerGrpcClient::with_interceptor(connection, BallistaGrpcMetadataInterceptor::new(version))
        .max_encoding_message_size(MAX_MESSAGE)
        .max_decoding_message_size(MAX_MESSAGE);
    Ok(Box::new(move |call| {
        let mut client = client.clone();
        macro_rules! ask {
            ($method:ident, $params:expr) => {
                match client.$method($params).await {
                    Ok(answer) => answer.into_inner(),
                    Err(status) => {
                        let code = format!("{:?}", status.code());
                        let away = ["Unavailable", "Unknown", "DeadlineExceeded", "Cancelled"].contains(&code.as_str());
                        return Err(Refused { away, why: status.message().to_string() });
                    }
                }
            };
        }
        async move {
            Ok(match call {
                Call::Submit { plan, settings, session } => {
                    let operation_id = uuid::Uuid::new_v4().to_string();
                    let query = Some(Query::PhysicalPlan(plan));
                    let params = ExecuteQueryParams { query, settings, session_id: session, operation_id };
                    match ask!(execute_query, params).result {
                        Some(execute_query_result::Result::Success(done)) => Answer::Submitted(done.job_id),
                        Some(execute_query_result::Result::Failure(failure)) => {
                            return Err(Refused { away: false, why: format!("{:?}", failure.failure) });
                        }
                        None => return Err(Refused { away: false, why: "an empty answer".to_string() }),
                    }
                }
                Call::Status(job_id) => {
                    let found = ask!(get_job_status, GetJobStatusParams { job_id });
                    Answer::Status(found.status.and_then(|status| status.status), found.flight_proxy)
                }
                Call::Spilled(job_id) => {
                    let stages = ask!(get_job_metrics, GetJobMetricsParams { job_id }).stages;
                    let operators = stages.into_iter().flat_map(|stage| stage.operators);
                    let metrics = operators.flat_map(|operator| operator.metrics).filter_map(|metric| metric.metric);
                    Answer::Spilled(
                        metrics.map(|metric| if let Metric::SpilledBytes(bytes) = metric { bytes } else { 0 }).sum(),
                    )
                }
                Call::Cancel(job_id) => {
                    ask!(cancel_job, CancelJobParams { job_id });
                    Answer::Cancelled
                }
            })
        }
        .boxed()
    }))
}

/// An error and what caused it, in one line.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let all = std::iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<String> = all.map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}
