// Puts tink-go's AEAD keysets behind standard input and output: one JSON request a line, one JSON answer a line.
//
// An answer has either "error" with the stage at which tink-go refused ("read", "aead.New", "open") or the result. Bytes are
// base64. The KMS of the encrypted kinds does nothing: its ciphertext is the binary keyset.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/tink"
)

type request struct {
	// check, seal, open, write: on a keyset; create: makes one
	Do             string `json:"do"`
	Kind           string `json:"kind"` // json, binary, encrypted, encrypted-binary
	Keyset         []byte `json:"keyset"`
	Plaintext      []byte `json:"plaintext"`
	Ciphertext     []byte `json:"ciphertext"`
	AssociatedData []byte `json:"associatedData"`
	Template       string `json:"template"`
	WriteAs        string `json:"writeAs"` // json, binary, encrypted, encrypted-binary
}

type answer struct {
	Stage  string `json:"stage,omitempty"`
	Error  string `json:"error,omitempty"`
	Result []byte `json:"result,omitempty"`
}

type noKMS struct{}

func (noKMS) Encrypt(plaintext, _ []byte) ([]byte, error)  { return plaintext, nil }
func (noKMS) Decrypt(ciphertext, _ []byte) ([]byte, error) { return ciphertext, nil }

var templates = map[string]func() *tinkpb.KeyTemplate{
	"AES128_GCM":                           aead.AES128GCMKeyTemplate,
	"AES256_GCM":                           aead.AES256GCMKeyTemplate,
	"AES256_GCM_RAW":                       aead.AES256GCMNoPrefixKeyTemplate,
	"AES128_GCM_SIV":                       aead.AES128GCMSIVKeyTemplate,
	"AES256_GCM_SIV":                       aead.AES256GCMSIVKeyTemplate,
	"AES256_GCM_SIV_RAW":                   aead.AES256GCMSIVNoPrefixKeyTemplate,
	"AES128_CTR_HMAC_SHA256":               aead.AES128CTRHMACSHA256KeyTemplate,
	"AES256_CTR_HMAC_SHA256":               aead.AES256CTRHMACSHA256KeyTemplate,
	"CHACHA20_POLY1305":                    aead.ChaCha20Poly1305KeyTemplate,
	"XCHACHA20_POLY1305":                   aead.XChaCha20Poly1305KeyTemplate,
	"XAES_256_GCM_192_BIT_NONCE":           aead.XAES256GCM192BitNonceKeyTemplate,
	"XAES_256_GCM_192_BIT_NONCE_NO_PREFIX": aead.XAES256GCM192BitNonceNoPrefixKeyTemplate,
}

func main() {
	decoder := json.NewDecoder(os.Stdin)
	encoder := json.NewEncoder(os.Stdout)
	for {
		var r request
		if err := decoder.Decode(&r); err == io.EOF {
			return
		} else if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		result, stage, err := serve(r)
		a := answer{Stage: stage, Result: result}
		if err != nil {
			a.Error = err.Error()
		}
		if err := encoder.Encode(a); err != nil {
			os.Exit(1)
		}
	}
}

func serve(r request) (result []byte, stage string, err error) {
	if r.Do == "create" {
		return create(r)
	}
	handle, err := read(r)
	if err != nil {
		return nil, "read", err
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, "aead.New", err
	}
	return use(r, handle, primitive)
}

func use(r request, handle *keyset.Handle, primitive tink.AEAD) ([]byte, string, error) {
	switch r.Do {
	case "check":
		return nil, "", nil
	case "seal":
		sealed, err := primitive.Encrypt(r.Plaintext, r.AssociatedData)
		return sealed, "", err
	case "open":
		opened, err := primitive.Decrypt(r.Ciphertext, r.AssociatedData)
		return opened, "open", err
	case "write":
		written, err := write(handle, r.WriteAs)
		return written, "", err
	}
	return nil, "request", fmt.Errorf("cannot %q", r.Do)
}

func create(r request) ([]byte, string, error) {
	template, ok := templates[r.Template]
	if !ok {
		return nil, "request", fmt.Errorf("no template %q", r.Template)
	}
	handle, err := keyset.NewHandle(template())
	if err != nil {
		return nil, "create", err
	}
	written, err := write(handle, r.WriteAs)
	return written, "", err
}

func read(r request) (*keyset.Handle, error) {
	document := bytes.NewReader(r.Keyset)
	switch r.Kind {
	case "json":
		return insecurecleartextkeyset.Read(keyset.NewJSONReader(document))
	case "binary":
		return insecurecleartextkeyset.Read(keyset.NewBinaryReader(document))
	case "encrypted":
		return keyset.Read(keyset.NewJSONReader(document), noKMS{})
	case "encrypted-binary":
		return keyset.Read(keyset.NewBinaryReader(document), noKMS{})
	}
	return nil, fmt.Errorf("no kind %q", r.Kind)
}

func write(handle *keyset.Handle, kind string) ([]byte, error) {
	var document bytes.Buffer
	var writer keyset.Writer
	switch kind {
	case "json":
		writer = keyset.NewJSONWriter(&document)
	case "binary":
		writer = keyset.NewBinaryWriter(&document)
	case "encrypted":
		err := handle.Write(keyset.NewJSONWriter(&document), noKMS{})
		return document.Bytes(), err
	case "encrypted-binary":
		err := handle.Write(keyset.NewBinaryWriter(&document), noKMS{})
		return document.Bytes(), err
	default:
		return nil, fmt.Errorf("no kind %q", kind)
	}
	err := insecurecleartextkeyset.Write(handle, writer)
	return document.Bytes(), err
}
