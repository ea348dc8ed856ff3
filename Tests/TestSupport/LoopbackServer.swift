import Foundation
import Synchronization

/// A small HTTP server on the loopback address that answers as a test says; ends with `stop`.
///
///     let server = try LoopbackServer { request in .init(body: [1, 2, 3]) }
///     defer { server.stop() }
///     fetch(server.address + "/file")
package final class LoopbackServer: Sendable {
  package struct Request: Sendable {
    /// As the client wrote it: a path, or a whole address where it takes us for a proxy.
    package let target: String
    /// The first byte it asks for.
    package let start: Int
  }

  package struct Reply: Sendable {
    package var status = 200
    package var headers: [String] = []
    package var body: [UInt8] = []
    /// The length that is claimed; that of the body if nil.
    package var length: Int?
    /// Whether the connection is held open after the body, as if more came.
    package var stays = false

    package init(
      status: Int = 200, headers: [String] = [], body: [UInt8] = [], length: Int? = nil,
      stays: Bool = false
    ) {
      (self.status, self.headers, self.body) = (status, headers, body)
      (self.length, self.stays) = (length, stays)
    }

    /// The bytes from `request.start` on, as servers with ranges answer.
    package static func file(_ bytes: [UInt8], _ request: Request) -> Reply {
      guard request.start > 0 else { return Reply(body: bytes) }
      guard request.start < bytes.count else {
        return Reply(status: 416, headers: ["Content-Range: bytes */\(bytes.count)"])
      }
      return Reply(
        status: 206,
        headers: ["Content-Range: bytes \(request.start)-\(bytes.count - 1)/\(bytes.count)"],
        body: Array(bytes[request.start...]))
    }
  }

  package let port: UInt16
  private let socket: Int32
  private let seen = Mutex([Request]())
  private let answer: @Sendable (Request) -> Reply

  package var address: String { "http://127.0.0.1:\(port)" }
  /// All requests so far.
  package var requests: [Request] { seen.withLock { $0 } }

  package init(_ answer: @escaping @Sendable (Request) -> Reply) throws {
    self.answer = answer
    let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, size) == 0 && listen(socket, 16) == 0
          && getsockname(socket, $0, &size) == 0
      }
    }
    guard isBound else { throw POSIXError(.EADDRNOTAVAIL) }
    self.socket = socket
    port = UInt16(bigEndian: place.sin_port)
    Thread { [self] in serve() }.start()
  }

  package func stop() { shutdown(socket, Int32(SHUT_RDWR)) }

  private func serve() {
    while true {
      let client = accept(socket, nil, nil)
      guard client >= 0 else { break }
      Thread { [self] in
        talk(client)
        close(client)
      }.start()
    }
    close(socket)
  }

  private func talk(_ client: Int32) {
    guard let request = Self.read(client) else { return }
    seen.withLock { $0.append(request) }
    let reply = answer(request)
    let head =
      (["HTTP/1.1 \(reply.status) Test", "Connection: close"] + reply.headers
      + ["Content-Length: \(reply.length ?? reply.body.count)", "", ""]).joined(separator: "\r\n")
    guard Self.send(Array(head.utf8), client), Self.send(reply.body, client) else { return }
    var byte: UInt8 = 0
    // Until the client goes.
    if reply.stays { _ = recv(client, &byte, 1, 0) }
  }

  private static func read(_ client: Int32) -> Request? {
    var head: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while !String(decoding: head, as: UTF8.self).contains("\r\n\r\n") {
      let count = recv(client, &piece, piece.count, 0)
      guard count > 0, head.count < 1 << 16 else { return nil }
      head += piece[..<count]
    }
    let lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ")
    guard words.count == 3 else { return nil }
    let range = lines.first { $0.lowercased().hasPrefix("range: bytes=") }
    let start = range.flatMap { Int($0.dropFirst(13).prefix { $0 != "-" }) } ?? 0
    return Request(target: String(words[1]), start: start)
  }

  private static func send(_ bytes: [UInt8], _ client: Int32) -> Bool {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Foundation.send(
          client, $0.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }
}
