"""The churn-risk model: features, learning, assessment and validation."""
