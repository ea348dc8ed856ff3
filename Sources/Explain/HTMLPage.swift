import Foundation
package import Images

/// One page with pictures that needs no other file.
package struct HTMLPage: Sendable {
  private let title: String
  private var body = ""

  package init(title: String) { self.title = title }

  package mutating func heading(_ text: String) { body += "<h2>\(Self.escaped(text))</h2>\n" }

  package mutating func paragraph(_ text: String) { body += "<p>\(Self.escaped(text))</p>\n" }

  /// Adds a picture with a caption.
  package mutating func picture(_ image: RGBImage, caption: String) throws {
    let bytes = Data(try image.png()).base64EncodedString()
    body += """
      <figure><img alt="\(Self.escaped(caption))" width="\(image.width)" height="\(image.height)" \
      src="data:image/png;base64,\(bytes)">
      <figcaption>\(Self.escaped(caption))</figcaption></figure>\n
      """
  }

  /// Adds a table, the first row its head.
  package mutating func table(_ rows: [[String]]) {
    body += "<table>\n"
    for (index, row) in rows.enumerated() {
      let tag = index == 0 ? "th" : "td"
      body += "<tr>" + row.map { "<\(tag)>\(Self.escaped($0))</\(tag)>" }.joined() + "</tr>\n"
    }
    body += "</table>\n"
  }

  /// The whole page.
  package var text: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(Self.escaped(title))</title>
    <style>
    body { font: 16px/1.5 system-ui, sans-serif; max-width: 1340px; margin: 2em auto; \
    padding: 0 1em; color: #222; background: #fff; }
    h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2em; }
    p { max-width: 44em; }
    img { max-width: 100%; height: auto; }
    figure { margin: 1em 0; } figcaption { color: #666; font-size: .9em; }
    table { border-collapse: collapse; } th, td { text-align: left; padding: .2em 1em .2em 0; }
    th { border-bottom: 1px solid #999; }
    </style>
    </head>
    <body>
    <h1>\(Self.escaped(title))</h1>
    \(body)</body>
    </html>

    """
  }

  static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;")
      .replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;")
      .replacingOccurrences(of: "\"", with: "&quot;")
  }
}
