// The tests' 2026.2 has a stand-in for a dependency that only a git host serves (tests/real/fetch). Its dist/index.js, which a service starts,
// asks that one for names: here they are. WhatsApp is absent all the same.
import { registerHooks } from "node:module";

const NAMES = [
  "DisconnectReason", "downloadMediaMessage", "extractMessageContent", "fetchLatestBaileysVersion", "getContentType", "isJidGroup",
  "makeCacheableSignalKeyStore", "makeWASocket", "normalizeMessageContent", "useMultiFileAuthState",
];
const PACKAGE = "@whiskeysockets/baileys";
const URL = "stand-in:whatsapp";

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === PACKAGE ? { url: URL, format: "module", shortCircuit: true } : next(specifier, context),
  load: (url, context, next) =>
    url === URL
      ? { format: "module", shortCircuit: true, source: NAMES.map((name) => `export const ${name} = undefined;`).join("\n") }
      : next(url, context),
});
