//! Connections between executors, kept for the next shuffle.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use ballista_core::client::BallistaClient;
use ballista_core::client_pool::{BallistaClientPool, PooledClient};
use ballista_core::error::Result;
use ballista_core::extension::BallistaConfigGrpcEndpoint;
use ballista_core::utils::GrpcClientConfig;

/// How long a connection waits to be used again.
const IDLE: Duration = Duration::from_secs(30);

type Idle = HashMap<(String, u16), Vec<(Instant, BallistaClient)>>;

/// Idle connections by address. Those that have waited too long go when the next one comes back.
#[derive(Default)]
pub(super) struct Pool {
    idle: Arc<Mutex<Idle>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pool")
    }
}

fn evict(idle: &mut Idle) {
    idle.retain(|_, clients| {
        clients.retain(|(since, _)| since.elapsed() < IDLE);
        !clients.is_empty()
    });
}

#[async_trait]
impl BallistaClientPool for Pool {
    async fn acquire(
        &self,
        host: &str,
        port: u16,
        config: &GrpcClientConfig,
        endpoint: Option<Arc<BallistaConfigGrpcEndpoint>>,
    ) -> Result<PooledClient> {
        let key = (host.to_string(), port);
        let waiting = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            evict(&mut idle);
            idle.get_mut(&key).and_then(Vec::pop)
        };
        let client = match waiting {
            Some((_, client)) => client,
            None => {
                BallistaClient::try_new(
                    host,
                    port,
                    config.max_message_size,
                    config.use_tls,
                    endpoint,
                    config.io_retries_times,
                    config.io_retry_wait_time_ms,
                    config.initial_connection_window_size,
                    config.initial_stream_window_size,
                )
                .await?
            }
        };
        let idle = Arc::clone(&self.idle);
        let back = move |client| {
            let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.entry(key).or_default().push((Instant::now(), client));
        };
        Ok(PooledClient::new(client, Box::new(back)))
    }

    async fn evict_idle(&self) {
        evict(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
