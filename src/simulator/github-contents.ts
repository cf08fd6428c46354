import { posix } from "node:path";
import { blobOf, childrenOf, objectSha, shaOf, type Child } from "./git-objects.ts";
import { NOT_FOUND, refusal, type GitHubReply } from "./github-reply.ts";
import type { JsonObject } from "./json.ts";
import type { Repository, Tree, TreeEntry } from "./world.ts";

export interface ContentsRequest {
  readonly apiUrl: string;
  readonly owner: string;
  readonly repository: Repository;
  /** Without slashes at its ends; empty is the root. */
  readonly path: string;
  /** A branch, as `NAME`, `heads/NAME` or `refs/heads/NAME`; null is the default branch. */
  readonly ref: string | null;
  readonly accept: string;
}

/** Above this a file is described without its content. */
const LARGEST_INLINE_BYTES = 1024 * 1024;

/** One file, directory, link or submodule. https://docs.github.com/en/rest/repos/contents#get-repository-content */
export function readContents(request: ContentsRequest): GitHubReply {
  const { repository, ref, path } = request;
  const branch = (ref ?? repository.defaultBranch).replace(/^(refs\/)?heads\//, "");
  const tree = repository.branches.get(branch);
  if (tree === undefined) {
    return ref === null
      ? refusal(404, "This repository is empty.")
      : refusal(404, `No commit found for the ref ${ref}`);
  }
  const entry = tree.get(path);
  if (entry !== undefined) return readEntry(request, tree, entry, branch);
  const children = childrenOf(tree, path);
  if (children === undefined) return NOT_FOUND;
  return { status: 200, body: children.map((child) => describeChild(request, tree, child, branch)) };
}

function readEntry(request: ContentsRequest, tree: Tree, entry: TreeEntry, branch: string): GitHubReply {
  const base = { name: posix.basename(request.path), path: request.path, ...links(request, request.path, branch) };
  if (entry.kind === "submodule") {
    const { commit: sha, url: submoduleGitUrl } = entry;
    return {
      status: 200,
      body: { type: "submodule", submodule_git_url: submoduleGitUrl, size: 0, sha, ...base, download_url: null },
    };
  }
  const target = entry.kind === "symlink" ? linkedFile(request.path, tree, entry.target) : entry;
  if (target === undefined) {
    const blob = blobOf(entry);
    const sha = objectSha("blob", blob);
    return { status: 200, body: { type: "symlink", target: blob.toString(), size: blob.length, sha, ...base } };
  }
  const content = blobOf(target);
  if (/\.raw(\+json)?\b/.test(request.accept)) {
    return {
      status: 200,
      body: content,
      headers: { "content-type": "application/vnd.github.raw+json; charset=utf-8" },
    };
  }
  return { status: 200, body: { type: "file", ...encodeFile(content), sha: objectSha("blob", content), ...base } };
}

/** A link to a file of the repository is answered with that file; any other is described. One hop. */
function linkedFile(path: string, tree: Tree, target: string): Extract<TreeEntry, { kind: "file" }> | undefined {
  const linked = tree.get(posix.join(posix.dirname(path), target));
  return linked?.kind === "file" ? linked : undefined;
}

/** GitHub breaks base64 into lines of 60 characters, the last one ended too. */
function encodeFile(content: Buffer): JsonObject {
  const inline = content.byteLength <= LARGEST_INLINE_BYTES;
  const base64 = inline ? content.toString("base64") : "";
  return {
    encoding: inline ? "base64" : "none",
    size: content.byteLength,
    content: base64.replace(/.{1,60}/g, "$&\n"),
  };
}

/** In a listing a submodule is called a file: GitHub keeps that for old clients. */
function describeChild(request: ContentsRequest, tree: Tree, child: Child, branch: string): JsonObject {
  const path = request.path === "" ? child.name : `${request.path}/${child.name}`;
  const base = { name: child.name, path, sha: shaOf(tree, child), ...links(request, path, branch) };
  if ("directory" in child) return { type: "dir", size: 0, ...base };
  const { entry } = child;
  if (entry.kind === "submodule") return { type: "file", size: 0, ...base };
  return { type: entry.kind, size: blobOf(entry).byteLength, ...base };
}

function links({ apiUrl, owner, repository }: ContentsRequest, path: string, branch: string): JsonObject {
  const place = `${owner}/${repository.name}`;
  const self = `${apiUrl}/repos/${place}/contents/${path}?ref=${branch}`;
  const html = `https://github.com/${place}/blob/${branch}/${path}`;
  return {
    url: self,
    html_url: html,
    git_url: null,
    download_url: `https://raw.githubusercontent.com/${place}/${branch}/${path}`,
    _links: { self, git: null, html },
  };
}
