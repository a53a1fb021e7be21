use super::{Scorer, Scoring};
use crate::context::Context;
use crate::error::Result;
use crate::model::Candidate;
use async_trait::async_trait;

/// Heuristic.
#[derive(Clone, Debug, Default)]
pub struct Heuristic;

#[async_trait]
impl Scorer for Heuristic {
    async fn score(&self, _cx: &Context, _scoring: &Scoring) -> Result<Vec<Candidate>> {
        Ok(Vec::new())
    }
}
