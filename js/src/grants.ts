/** What a confined plugin may be granted, in words: exactly what would be written into the user's file. */
export const grants = {
  ask: (plugin: string) => `${plugin} was refused something`,
  what: (permit: string, value: string): string => {
    switch (permit) {
      case "file_read":
        return `Read ${value}`;
      case "file_write":
        return `Read and change ${value}`;
      case "network_access":
        return value === "" ? "Use all of the network" : `Connect to ${value}`;
      case "env_access":
        return `See the variable ${value} of this kernel`;
      case "allow_degraded":
        return "Run with permissions that this system cannot enforce";
      default:
        return `${permit} ${value}`;
    }
  },
  allow: (permit: string, value: string): string => {
    switch (permit) {
      case "file_read":
        return "Allow reading";
      case "file_write":
        return "Allow writing";
      case "network_access":
        return value === "" ? "Allow network" : "Allow host";
      case "env_access":
        return "Allow variable";
      default:
        return "Start all the same";
    }
  },
  decline: "Do not allow",
  lasts: "What you allow is kept in mcp_plugins.json, and the plugin restarts with it. You can take it back in the plugin manager.",
  proven: "The sandbox refused this.",
  seen: "The call that failed names this.",
  unproven: "Only the server says that it needs this, and servers can lie. Allow it if you know why.",
  permits: "May",
  passphraseAsk: "The key file's passphrase",
  passphrase: "Passphrase",
  passphraseAgain: "Again",
  passphraseNote: "It opens the file in which your API keys are kept encrypted. It is not stored anywhere, and not in the notebook.",
  passphraseNew: "Choose several words. Without them the keys in the file are lost.",
  passphraseGive: "Unlock",
  passphraseChoose: "Use it",
  passphraseDecline: "Cancel",
  passphraseDiffers: "They differ.",
  takeBack: "Take back",
  none: "Nothing beyond its own files",
};
