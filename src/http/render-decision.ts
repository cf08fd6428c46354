import type { Decision } from "./decision.ts";
import { renderRefusal } from "./error-response.ts";
import type { Exchange } from "./exchange.ts";
import { renderGitCredential } from "./git-credential.ts";
import type { Reply } from "./reply.ts";
import type { HttpSettings } from "./services.ts";

type TokenDecision = Extract<Decision, { readonly kind: "token" }>;

/** The reply to a decision in the format of its route. A reply that carries a token is never stored by anyone. */
export function renderDecision(decision: Decision, { route, requestId }: Exchange, settings: HttpSettings): Reply {
  const id = { "x-request-id": requestId };
  switch (decision.kind) {
    case "token":
      return route.format === "json" ? renderJson(decision, id, settings) : renderGit(decision, id, settings);
    case "nothing":
      if (route.format === "json") return { status: 204, headers: id, text: null };
      return { status: 200, headers: { "content-type": "text/plain", ...id }, text: "" };
    case "refused":
      return renderRefusal(decision.refusal, route.format, id);
  }
}

function renderJson(decision: TokenDecision, id: Readonly<Record<string, string>>, settings: HttpSettings): Reply {
  const text = decision.token.reply(decision.description, settings.discloseAppIdentifiers);
  return { status: 200, headers: { "content-type": "application/json", "cache-control": "no-store", ...id }, text };
}

function renderGit(decision: TokenDecision, id: Readonly<Record<string, string>>, settings: HttpSettings): Reply {
  const { gitPath, description } = decision;
  const { token } = decision.token;
  const { app } = description;
  const text = renderGitCredential([
    ["protocol", "https"],
    ["host", settings.gitHubWebUrl.host],
    ...(gitPath === undefined ? [] : [["path", gitPath] as const]),
    ["username", "x-access-token"],
    ["password", token.token],
    ["password_expiry_utc", String(token.expiresAtEpochSeconds)],
    ...(settings.discloseAppIdentifiers
      ? [
          ["chinmina_app_name", app.name] as const,
          ["chinmina_app_id", String(app.appId)] as const,
          ["chinmina_installation_id", String(app.installationId)] as const,
        ]
      : []),
  ]);
  return { status: 200, headers: { "content-type": "text/plain", "cache-control": "no-store", ...id }, text };
}
