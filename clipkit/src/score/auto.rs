use std::sync::Arc;

use async_trait::async_trait;

use super::{Scorer, Scoring};
use crate::context::{Context, Environment};
use crate::error::Result;
use crate::model::Candidate;
use crate::openai::OpenAiServer;

/// Uses a language model if the context's environment configures a server, else the heuristic.
pub(crate) struct AutoScorer {
    pub(crate) model: Arc<dyn Scorer>,
    pub(crate) heuristic: Arc<dyn Scorer>,
}

impl AutoScorer {
    fn chosen(&self, environment: &Environment) -> &Arc<dyn Scorer> {
        if OpenAiServer::default().is_configured_in(environment) { &self.model } else { &self.heuristic }
    }
}

#[async_trait]
impl Scorer for AutoScorer {
    async fn score(&self, cx: &Context, scoring: &Scoring) -> Result<Vec<Candidate>> {
        self.chosen(cx.environment()).score(cx, scoring).await
    }

    fn fingerprint(&self, environment: &Environment) -> Option<String> {
        self.chosen(environment).fingerprint(environment)
    }

    fn is_builtin(&self) -> bool {
        true
    }
}
