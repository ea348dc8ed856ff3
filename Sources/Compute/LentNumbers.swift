/// Numbers that lie in somebody else's memory, such as a file that is mapped into ours.
package final class LentNumbers: @unchecked Sendable {
  let numbers: UnsafeBufferPointer<Float>
  private let letGoBody: @Sendable () -> Void

  /// - Parameters:
  ///   - numbers: nobody may change them.
  ///   - letGo: keeps their owner alive; called when they have been used and need not stay in
  ///     memory.
  package init(_ numbers: UnsafeBufferPointer<Float>, letGo: @escaping @Sendable () -> Void) {
    (self.numbers, letGoBody) = (numbers, letGo)
  }

  func letGo() { letGoBody() }

  @usableFromInline var copied: [Float] { [Float](numbers) }
}
