package import Architectures
package import Compute
import Foundation
package import Layers
package import Weights
