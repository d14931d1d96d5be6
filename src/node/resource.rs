//! Resource types.

/// The type of a resource, as dbt names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceType {
    /// `model`
    Model,
    /// `seed`
    Seed,
    /// `snapshot`
    Snapshot,
    /// `test`
    Test,
    /// `unit_test`
    UnitTest,
    /// `source`
    Source,
    /// `exposure`
    Exposure,
    /// `analysis`
    Analysis,
    /// `operation`
    Operation,
}

impl ResourceType {
    /// Every type, in the order in which `ls` knows them.
    pub const ALL: [ResourceType; 9] = [
        ResourceType::Model,
        ResourceType::Seed,
        ResourceType::Snapshot,
        ResourceType::Test,
        ResourceType::UnitTest,
        ResourceType::Source,
        ResourceType::Exposure,
        ResourceType::Analysis,
        ResourceType::Operation,
    ];

    /// True for a type that `ls` shows unless others are asked for. An analysis has to be asked for; an operation is no
    /// node of its own to anybody.
    pub fn is_listed(self) -> bool {
        !matches!(self, ResourceType::Analysis | ResourceType::Operation)
    }

    /// The name in unique ids and artifacts.
    pub fn as_str(self) -> &'static str {
        match self {
            ResourceType::Model => "model",
            ResourceType::Seed => "seed",
            ResourceType::Snapshot => "snapshot",
            ResourceType::Test => "test",
            ResourceType::UnitTest => "unit_test",
            ResourceType::Source => "source",
            ResourceType::Exposure => "exposure",
            ResourceType::Analysis => "analysis",
            ResourceType::Operation => "operation",
        }
    }

    /// The type called `name`.
    pub fn parse(name: &str) -> Option<ResourceType> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// True if `ref()` can mean it.
    pub fn is_refable(self) -> bool {
        matches!(self, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot)
    }
}

impl std::fmt::Display for ResourceType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
