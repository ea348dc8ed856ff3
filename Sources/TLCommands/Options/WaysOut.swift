import Demo
import Explain
import Training
import Weights

// Which errors of other modules know a way out.
extension TrainingError: WithWayOut {}
extension WeightsError: WithWayOut {}
extension ExplainError: WithWayOut {}
extension DemoError: WithWayOut {}
extension PullError: WithWayOut {}
