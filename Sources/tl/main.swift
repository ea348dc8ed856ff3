import TLCommands

TL.run(Array(CommandLine.arguments.dropFirst()))
