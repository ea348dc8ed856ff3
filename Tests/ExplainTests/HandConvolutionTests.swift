import Compute
import Drawing
import Explain
import Images
import TestSupport
import Testing

struct HandConvolutionTests {
  /// The formula against counting the windows that fit.
  @Test(arguments: [Padding.valid, .same])
  func formulaGivesTheSizeThatConvolutionHas(padding: Padding) {
    for size in 1...20 {
      for kernel in 1...6 {
        for stride in 1...4 {
          let formula = SizeFormula(size: size, kernel: kernel, stride: stride, padding: padding)
          let windows = Swift.stride(
            from: 0, through: size + formula.padding - kernel, by: stride)
          #expect(formula.output == windows.reduce(0) { count, _ in count + 1 })
          if padding == .same { #expect(formula.output == (size + stride - 1) / stride) }
        }
      }
    }
  }

  @Test func formulaIsWrittenOut() {
    let formula = SizeFormula(size: 375, kernel: 3, stride: 2, padding: .same)
    #expect(formula.text == "floor((375 + 2 - 3) / 2) + 1 = 188")
  }

  private static func photo(_ width: Int, _ height: Int) -> RGBImage {
    let pixels = (0..<width * height * 3).map { index -> UInt8 in
      let mixed = index * 37 + index / 11 * 5
      return UInt8(mixed % 256)
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  /// The mean of nine pixels, by hand.
  @Test func meanIsTheMean() throws {
    let photo = Self.photo(7, 5)
    let kernel = try HandKernel.named("mean")
    let result = try HandConvolution(
      photo, name: "p", kernel: kernel, padding: .valid, stride: 1)
    #expect((result.output.height, result.output.width) == (3, 5))
    for row in 0..<3 {
      for column in 0..<5 {
        for color in 0..<3 {
          var sum = 0
          for y in 0..<3 {
            for x in 0..<3 { sum += Int(photo.pixels[((row + y) * 7 + column + x) * 3 + color]) }
          }
          let found = Int(result.output.pixels[(row * 5 + column) * 3 + color])
          #expect(abs(Double(found) - Double(sum) / 9) <= 0.51)
        }
      }
    }
  }

  /// An edge from dark to bright is bright under sobel-x, and nothing is seen by sobel-y.
  @Test func sobelFindsTheEdge() throws {
    let edge = RGBImage(
      width: 6, height: 5,
      pixels: (0..<30).flatMap { [UInt8](repeating: $0 % 6 < 3 ? 0 : 200, count: 3) })
    let x = try HandConvolution(
      edge, name: "p", kernel: .named("sobel-x"), padding: .valid, stride: 1)
    #expect(
      x.output.pixels.prefix(12).map { $0 } == [
        128, 128, 128, 255, 255, 255, 255, 255, 255, 128, 128, 128,
      ])
    let y = try HandConvolution(
      edge, name: "p", kernel: .named("sobel-y"), padding: .valid, stride: 1)
    #expect(y.output.pixels.allSatisfy { $0 == 128 })
  }

  @Test func kernelsAreReadFromText() throws {
    let kernel = try HandKernel(name: "k", text: "# edges\n1, 0 -1\n\n2 0 -2.5\n")
    #expect((kernel.height, kernel.width) == (2, 3))
    #expect(kernel.weights == [1, 0, -1, 2, 0, -2.5])
    for bad in ["", "1 2\n3", "1 x", "nan", String(repeating: "1 ", count: 40)] {
      #expect(throws: ExplainError.self) { try HandKernel(name: "k", text: bad) }
    }
  }

  @Test func kernelLargerThanThePhotoIsRefused() throws {
    #expect(throws: ExplainError.self) {
      try HandConvolution(
        Self.photo(2, 9), name: "p", kernel: .named("mean"), padding: .valid, stride: 1)
    }
  }

  @Test func colorsAreMatplotlibs() {
    #expect(ColorMap.viridis.color(0) == (0x44, 0x01, 0x54))
    #expect(ColorMap.viridis.color(1) == (0xFD, 0xE7, 0x25))
    #expect(ColorMap.viridis.color(0.5) == (0x21, 0x91, 0x8C))
    #expect(ColorMap.magma.color(-1) == (0, 0, 0x04))
    #expect(ColorMap.magma.color(2) == (0xFC, 0xFD, 0xBF))
  }

  /// Text leaves something on the canvas, and shortens where there is no room.
  @Test func textIsDrawn() {
    let canvas = Canvas(width: 80, height: 30)
    canvas.text("block5_conv3 of a network", at: Point(2, 20), size: 14, limit: 70)
    let dark = canvas.image.pixels.enumerated().filter { $0.element < 128 }.map {
      $0.offset / 3 % 80
    }
    #expect(dark.count > 60)
    #expect((dark.max() ?? 80) < 74)
  }
}
