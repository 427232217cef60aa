//! Names of topics and subscriptions that hold everywhere.

use std::fmt;

use weir_base::id::ProjectId;

/// `urn:smn:{region}:{project}:{topic}`, with `:{subscription}` for a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urn {
    /// Region.
    pub region: String,
    /// Project.
    pub project: ProjectId,
    /// Name of the topic.
    pub topic: String,
    /// Id of the subscription.
    pub subscription: Option<String>,
}

impl Urn {
    /// Reads a URN.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (region, project, topic, subscription) = match parts.as_slice() {
            ["urn", "smn", region, project, topic] => (region, project, topic, None),
            ["urn", "smn", region, project, topic, subscription] => {
                (region, project, topic, Some(subscription))
            }
            _ => return None,
        };
        if project.is_empty() || topic.is_empty() || subscription.is_some_and(|id| id.is_empty()) {
            return None;
        }
        Some(Self {
            region: (*region).to_string(),
            project: ProjectId((*project).to_string()),
            topic: (*topic).to_string(),
            subscription: subscription.map(|id| (*id).to_string()),
        })
    }
}

impl fmt::Display for Urn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "urn:smn:{}:{}:{}", self.region, self.project, self.topic)?;
        match &self.subscription {
            Some(id) => write!(f, ":{id}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in ["urn:smn:local:p1:alarms", "urn:smn:local:p1:alarms:0123"] {
            assert_eq!(Urn::parse(text).unwrap().to_string(), text);
        }
        for text in
            ["alarms", "urn:smn:local:p1", "urn:smn:local::alarms", "urn:smn:a:b:c:", "urn:dis:a:b:c", ""]
        {
            assert_eq!(Urn::parse(text), None, "{text}");
        }
    }
}
