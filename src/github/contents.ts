import { createHash } from "node:crypto";
import * as v from "valibot";
import { parseReply } from "../lib/parse-reply.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import type { GitHubClient } from "./client.ts";

/** GitHub gives the content inline up to this size; a larger file arrives empty. */
const MAX_FILE_BYTES = 1024 * 1024;

const FileReply = v.object({
  type: v.literal("file"),
  encoding: v.literal("base64"),
  size: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_FILE_BYTES)),
  sha: v.string(),
  content: v.string(),
});

export interface FileLocation {
  readonly owner: string;
  readonly repository: string;
  readonly path: string;
}

export interface FileRequest {
  readonly location: FileLocation;
  /** An installation token with `contents:read` on the repository. */
  readonly token: string;
  /** Of an earlier reply to the same token: GitHub's ETags differ from token to token. */
  readonly previousEtag?: string;
  readonly signal?: AbortSignal;
}

export type FileReading =
  | { readonly kind: "unchanged" }
  | { readonly kind: "file"; readonly bytes: Uint8Array<ArrayBuffer>; readonly etag?: string };

/**
 * Reads one file of the default branch whole (`GET /repos/OWNER/NAME/contents/PATH`), or learns that it has not changed.
 *
 * A reply counts only as a file of at most 1 MiB whose length and git blob SHA-1 are as GitHub says; a directory, a link, a submodule or a
 * truncated reply throws `upstream-malformed`. A symbolic link to a file of the repository cannot be told from the file:
 * GitHub answers with its target.
 */
export async function readFile(client: GitHubClient, request: FileRequest): Promise<FileReading> {
  const operation = "read profile file";
  const { owner, repository, path } = request.location;
  const encodedPath = path.split("/").map(encodeURIComponent).join("/");
  const response = await client.call({
    operation,
    method: "GET",
    path: `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(repository)}/contents/${encodedPath}`,
    bearer: request.token,
    ...(request.previousEtag === undefined ? {} : { headers: { "if-none-match": request.previousEtag } }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  if (response.status === 304) return { kind: "unchanged" };
  const { size, sha, content } = parseReply(FileReply, response, { upstream: "github", operation });
  const bytes = new Uint8Array(Buffer.from(content, "base64"));
  if (bytes.byteLength !== size || gitBlobSha1(bytes) !== sha) {
    throw new UpstreamFault("upstream-malformed", `${operation}: the content is not what its size and SHA-1 say`, {
      upstream: "github",
      status: response.status,
    });
  }
  const etag = response.headers.get("etag");
  return { kind: "file", bytes, ...(etag === null ? {} : { etag }) };
}

/** What `git hash-object` prints. */
function gitBlobSha1(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.byteLength}\0`).update(bytes).digest("hex");
}
