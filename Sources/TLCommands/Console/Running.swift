import ArgumentParser
import Foundation

extension TL {
  /// Runs `tl` with these arguments (without the program's own name) and ends the process.
  package static func run(_ arguments: [String]) -> Never {
    // A reader that is gone becomes an error at the write, so that open files are still tidied up.
    signal(SIGPIPE, SIG_IGN)
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
      try command.run()
      return ExitStatus.success
    } catch {
      let name = name(of: type(of: command))
      // `run()` of a command that only groups others asks for its help.
      if exitCode(for: error) == .success { return showParsing(error, command: name, console) }
      return show(failure(error, command: name), console)
    }
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

  /// The command that the first words name, at any depth.
  private static func subcommand(_ arguments: [String]) -> any ParsableCommand.Type {
    var command: any ParsableCommand.Type = Self.self
    for word in arguments {
      guard let next = command.configuration.subcommands.first(where: { $0._commandName == word })
      else { break }
      command = next
    }
    return command
  }

  /// A command as it is typed, such as `tl show heatmap`.
  private static func name(of command: any ParsableCommand.Type) -> String {
    words(from: Self.self, to: command)?.joined(separator: " ") ?? command._commandName
  }

  private static func words(
    from group: any ParsableCommand.Type, to command: any ParsableCommand.Type
  ) -> [String]? {
    if group == command { return [group._commandName] }
    for next in group.configuration.subcommands {
      if let rest = words(from: next, to: command) { return [group._commandName] + rest }
    }
    return nil
  }

  /// ArgumentParser says only "unexpected argument" for a mistyped subcommand.
  private static func unknownCommand(_ arguments: [String]) -> Failure? {
    let words = arguments.first == "help" ? arguments.dropFirst() : arguments[...]
    let group = subcommand(Array(words))
    let depth = (Self.words(from: Self.self, to: group)?.count ?? 1) - 1
    let commands = group.configuration.subcommands
    guard !commands.isEmpty, let word = words.dropFirst(depth).first, !word.hasPrefix("-") else {
      return nil
    }
    let visible = commands.filter { $0.configuration.shouldDisplay }
    let names = commands.flatMap { [$0._commandName] + $0.configuration.aliases }
    if names.contains(word) || word == "help" { return nil }
    let guess = nearest(to: word, among: visible.map { $0._commandName })
    let name = name(of: group)
    return Failure(
      usage: "unknown command '\(word)'" + (guess.map { ": did you mean '\($0)'?" } ?? ""),
      wayOut: guess == nil ? "\(name) --help" : nil, command: name)
  }
}
