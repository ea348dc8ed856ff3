// Times the engine: kernels, layers and whole networks with random weights. Every table starts
// with what it was measured on. `probe` writes numbers for other programs to compare with.
import Compute
import Foundation

let arguments = Arguments(Array(CommandLine.arguments.dropFirst()))
switch arguments.command {
case "vgg16": benchmarkVGG16(arguments)
case "kernels": benchmarkKernels(arguments)
case "layers": benchmarkLayers(arguments)
case "products": benchmarkProducts(arguments)
case "head": benchmarkHead(arguments)
case "block5": benchmarkBlock5(arguments)
case "photos": benchmarkPhotos(arguments)
case "probe": probe(arguments)
default:
  FileHandle.standardError.write(Data((Arguments.usage + "\n").utf8))
  exit(64)
}
