// Downloads fetches files from the network with libcurl: redirects, proxies (from the variables
// that curl knows), broken connections. It does not know what the files are.
internal import CCurl
internal import Foundation

/// Why a download ended early; `description` is one line.
package enum DownloadError: Error, Equatable, CustomStringConvertible {
  /// The connection could not be made.
  case unreachable(url: String, reason: String)
  /// The connection broke; the bytes so far are kept.
  case broken(url: String, reason: String)
  /// The server said no, with an HTTP status such as 404.
  case refused(url: String, status: Int)
  /// What is no http address.
  case badAddress(url: String, reason: String)
  /// The file cannot be written, as the disk is full or the folder is read-only.
  case cannotWrite(path: String, reason: String)
  /// Another process is writing the same file.
  case busy(path: String)
  /// libcurl is not installed.
  case noLibrary(reason: String)

  package var description: String {
    switch self {
    case .unreachable(let url, let reason): "cannot reach \(url): \(reason)"
    case .broken(let url, let reason): "the download of \(url) broke off: \(reason)"
    case .refused(let url, let status): "the server refused \(url): HTTP status \(status)"
    case .badAddress(let url, let reason): "cannot download '\(url)': \(reason)"
    case .cannotWrite(let path, let reason): "cannot write '\(path)': \(reason)"
    case .busy(let path): "'\(path)' is being downloaded by another run"
    case .noLibrary(let reason): "cannot open libcurl: \(reason)"
    }
  }
}

/// What the server answered before the bytes come.
struct Answer {
  let status: Int
  /// How many bytes follow, if the server says so.
  let length: Int?
  /// Such as `bytes 100-199/200`.
  let contentRange: String

  /// The first byte that follows, counted from the file's start; nil where a part is not named.
  var start: Int? { status == 206 ? range?.start : 0 }

  /// The size of the whole file, if the server says so.
  var total: Int? { status == 206 ? range?.total : length }

  private var range: (start: Int, total: Int?)? {
    guard contentRange.lowercased().hasPrefix("bytes ") else { return nil }
    let parts = contentRange.dropFirst(6).split(whereSeparator: { "-/".contains($0) })
    guard parts.count == 3, let start = Int(parts[0]) else { return nil }
    return (start, Int(parts[2]))
  }
}

/// One request; what the receiver's functions throw ends it and comes out of `get`.
final class HTTPRequest {
  private let answer: (Answer) throws -> Void
  private let bytes: (UnsafeRawBufferPointer) throws -> Void
  private let pulse: () throws -> Void
  private var failure: (any Error)?

  /// - Parameters:
  ///   - answer: gets what the server says before the first bytes.
  ///   - bytes: gets the file piece by piece.
  ///   - pulse: is called about once a second at least.
  init(
    answer: @escaping (Answer) throws -> Void,
    bytes: @escaping (UnsafeRawBufferPointer) throws -> Void, pulse: @escaping () throws -> Void
  ) {
    (self.answer, self.bytes, self.pulse) = (answer, bytes, pulse)
  }

  /// Asks for `url` from byte `start` on.
  ///
  /// - Parameter patience: seconds without any data after which the connection counts as broken.
  func get(_ url: String, from start: Int, patience: Int) throws {
    var message = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))
    let code = url.withCString { url in
      "tl".withCString { agent in
        var request = ccurl_request(
          url: url, user_agent: agent, start: Int64(start), patience: patience,
          on_answer: { context, status, length, range in
            HTTPRequest.attempt(context) {
              try $0.answer(
                Answer(
                  status: status, length: length < 0 ? nil : Int(length),
                  contentRange: range.map { String(cString: $0) } ?? ""))
            }
          },
          on_bytes: { context, bytes, count in
            HTTPRequest.attempt(context) {
              try $0.bytes(UnsafeRawBufferPointer(start: bytes, count: count))
            }
          },
          on_pulse: { context in HTTPRequest.attempt(context) { try $0.pulse() } },
          context: Unmanaged.passUnretained(self).toOpaque())
        return ccurl_get(&request, &message)
      }
    }
    if let failure { throw failure }
    if code != 0 { throw Self.error(code, url, Self.text(message)) }
  }

  /// Runs one of the receiver's functions; 1 where it throws.
  private static func attempt(
    _ context: UnsafeMutableRawPointer?, _ body: (HTTPRequest) throws -> Void
  ) -> Int32 {
    guard let context else { return 1 }
    let request = Unmanaged<HTTPRequest>.fromOpaque(context).takeUnretainedValue()
    guard request.failure == nil else { return 1 }
    do {
      try body(request)
      return 0
    } catch {
      request.failure = error
      return 1
    }
  }

  private static func text(_ message: [CChar]) -> String {
    let bytes = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func error(_ code: Int32, _ url: String, _ message: String) -> DownloadError {
    if code == CCURL_NO_LIBRARY { return .noLibrary(reason: message) }
    let reason = message.prefix(1).lowercased() + message.dropFirst()
    switch CURLcode(UInt32(bitPattern: code)) {
    case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL:
      return .badAddress(url: url, reason: reason)
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT,
      CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_TOO_MANY_REDIRECTS:
      return .unreachable(url: url, reason: reason)
    default: return .broken(url: url, reason: reason)
    }
  }
}
