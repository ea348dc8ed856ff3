import ArgumentParser
import Drawing
import Foundation
import Weights

extension TL {
  /// Runs `tl` with these arguments (without the program's own name) and ends the process.
  package static func run(_ arguments: [String]) -> Never {
    // A reader that is gone becomes an error at the write, so that open files are still tidied up.
    signal(SIGPIPE, SIG_IGN)
    if arguments.count == 2, arguments[0] == FileCheck.command {
      FileCheck.readThrough(arguments[1])
      Foundation.exit(ExitStatus.success)
    }
    FileCheck.enable()
    Interrupt.watch()
    Foundation.exit(perform(arguments, console: .standard))
  }
}

extension ParsableCommand {
  /// Parses, runs and reports; the exit status.
  package static func perform(_ arguments: [String], console: Console) -> Int32 {
    if let failure = unknownCommand(arguments) { return show(failure, console) }
    var command: any ParsableCommand
    do {
      command = try parseAsRoot(arguments)
    } catch {
      return showParsing(error, command: name(of: subcommand(arguments)), console)
    }
    do {
      defer { MissingLetters.takeWarning().map(console.warning) }
      try Console.$current.withValue(console) {
        try Invocation.$current.withValue(invocation(of: type(of: command), arguments)) {
          try command.run()
        }
      }
      return ExitStatus.success
    } catch {
      let name = name(of: type(of: command))
      // `run()` of a command that only groups others asks for its help.
      if exitCode(for: error) == .success { return showParsing(error, command: name, console) }
      return show(failure(error, command: name), console)
    }
  }

  private static func invocation(
    of command: any ParsableCommand.Type, _ arguments: [String]
  ) -> Invocation {
    let words = name(of: command).split(separator: " ").dropFirst().map(String.init)
    return Invocation(
      name: words.joined(separator: " "), type: command,
      arguments: Array(arguments.dropFirst(words.count)))
  }

  private static func failure(_ error: any Error, command: String) -> Failure {
    guard exitCode(for: error) == .validationFailure, !(error is ExitCode) else {
      return Failure(error, command: command)
    }
    return Failure(usage: message(for: error), wayOut: "\(command) --help", command: command)
  }

  private static func show(_ failure: Failure, _ console: Console) -> Int32 {
    console.errors.settle()
    if let text = failure.text(on: console.errors.terminal) { console.errors.line(text) }
    return failure.status
  }

  /// Shows help and versions on stdout, wrong arguments with the usage on stderr.
  private static func showParsing(
    _ error: any Error, command: String, _ console: Console
  ) -> Int32 {
    let text = fullMessage(for: error)
    let status = exitCode(for: error).rawValue
    if status == ExitStatus.success {
      do {
        if !text.isEmpty { try console.write(text + "\n") }
        return status
      } catch {
        return show(Failure(error, command: command), console)
      }
    }
    let prefix = "Error: "
    let words = text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
    _ = show(Failure(usage: words, wayOut: nil, command: command), console)
    return status
  }

  /// The command that the arguments begin with, as deep as they name it.
  private static func subcommand(_ arguments: [String]) -> any ParsableCommand.Type {
    var (command, rest): (any ParsableCommand.Type, ArraySlice<String>) = (
      Self.self, arguments[...]
    )
    while let word = rest.popFirst(), let next = command.subcommand(named: word) { command = next }
    return command
  }

  private static func subcommand(named word: String) -> (any ParsableCommand.Type)? {
    configuration.subcommands.first {
      $0._commandName == word || $0.configuration.aliases.contains(word)
    }
  }

  /// Such as `tl weights pull`.
  private static func name(of command: any ParsableCommand.Type) -> String {
    if command == Self.self { return _commandName }
    for next in configuration.subcommands {
      let name = next.name(of: command)
      if !name.isEmpty { return "\(_commandName) \(name)" }
    }
    return ""
  }

  /// ArgumentParser says only "unexpected argument" for a mistyped subcommand.
  private static func unknownCommand(_ arguments: [String]) -> Failure? {
    let words = arguments.first == "help" ? arguments.dropFirst() : arguments[...]
    return unknownCommand(words, below: [])
  }

  private static func unknownCommand(
    _ words: ArraySlice<String>, below parents: [String]
  ) -> Failure? {
    guard let word = words.first, !word.hasPrefix("-"), word != "help" else { return nil }
    guard !configuration.subcommands.isEmpty else { return nil }
    let path = parents + [_commandName]
    if let next = subcommand(named: word) {
      return next.unknownCommand(words.dropFirst(), below: path)
    }
    let visible = configuration.subcommands.filter { $0.configuration.shouldDisplay }
    let guess = nearest(to: word, among: visible.map { $0._commandName })
    let name = path.joined(separator: " ")
    return Failure(
      usage: "unknown command '\(word)'" + (guess.map { ": did you mean '\($0)'?" } ?? ""),
      wayOut: guess == nil ? "\(name) --help" : nil, command: name)
  }
}
