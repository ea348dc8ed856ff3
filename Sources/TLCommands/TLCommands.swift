// TLCommands
