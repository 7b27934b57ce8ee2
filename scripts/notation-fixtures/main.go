// Makes test/unit/signature/notation-fixtures.json: signatures by notation-go, timestamped by OpenSSL.
//
//	cd scripts/notation-fixtures && go run . > ../../test/unit/signature/notation-fixtures.json
package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/notaryproject/notation-core-go/signature"
	"github.com/notaryproject/notation-core-go/signature/cose"
	"github.com/notaryproject/notation-core-go/signature/jws"
	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/signer"
	"github.com/notaryproject/tspclient-go"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

type fixture struct {
	MediaType string `json:"mediaType"`
	Envelope  []byte `json:"envelope"`
}

type fixtures struct {
	Subject    ocispec.Descriptor `json:"subject"`
	Ca         string             `json:"ca"`
	Tsa        map[string]string  `json:"tsa"`
	SignedAt   time.Time          `json:"signedAt"`
	NotAfter   time.Time          `json:"notAfter"`
	Expiry     time.Time          `json:"expiry"`
	Signatures map[string]fixture `json:"signatures"`
}

type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

const (
	leafLifetime   = time.Hour
	expiresAfter   = 24 * time.Hour * 365
	caLifetime     = 10 * expiresAfter
	tsaLifetime    = 5 * expiresAfter
	signingAgent   = "notation-go/1.3.2"
	imageMediaType = "application/vnd.oci.image.index.v1+json"
)

var (
	now     = time.Now().UTC().Truncate(time.Second)
	serials = int64(0)
	curves  = map[string]elliptic.Curve{"p256": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521()}
	bits    = map[string]int{"rsa2048": 2048, "rsa3072": 3072, "rsa4096": 4096}
	formats = map[string]string{"jws": jws.MediaTypeEnvelope, "cose": cose.MediaTypeEnvelope}
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func newKey(kind string) crypto.Signer {
	if curve, ok := curves[kind]; ok {
		return must(ecdsa.GenerateKey(curve, rand.Reader))
	}
	return must(rsa.GenerateKey(rand.Reader, bits[kind]))
}

func name(commonName string) pkix.Name {
	return pkix.Name{
		Country: []string{"US"}, Province: []string{"WA"}, Locality: []string{"Seattle"},
		Organization: []string{"Wabbit Networks"}, OrganizationalUnit: []string{"Release"}, CommonName: commonName,
	}
}

func issue(template x509.Certificate, kind string, lifetime time.Duration, parent *authority) *authority {
	serials++
	template.SerialNumber = big.NewInt(serials)
	template.NotBefore, template.NotAfter = now.Add(-leafLifetime), now.Add(lifetime)
	template.BasicConstraintsValid = template.IsCA
	key := newKey(kind)
	if parent == nil {
		parent = &authority{&template, key}
	}
	der := must(x509.CreateCertificate(rand.Reader, &template, parent.cert, key.Public(), parent.key))
	return &authority{must(x509.ParseCertificate(der)), key}
}

func ca(commonName, kind string, parent *authority) *authority {
	template := x509.Certificate{Subject: name(commonName), IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	return issue(template, kind, caLifetime, parent)
}

func digestOf(content []byte) digest.Digest { return digest.FromBytes(content) }

func pemOf(cert *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
}

// A timestamp authority: an HTTP server in front of `openssl ts`.
func startTsa(folder, kind string, extra string, chain ...*authority) string {
	write := func(file string, content string) string {
		path := filepath.Join(folder, file)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			log.Fatal(err)
		}
		return path
	}
	leaf := chain[0]
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(leaf.key))}))
	others := ""
	for _, one := range chain[1:] {
		others += pemOf(one.cert)
	}
	config := write(kind+".cnf", `
[tsa]
serial = `+write(kind+".serial", "01")+`
crypto_device = builtin
signer_cert = `+write(kind+".pem", pemOf(leaf.cert))+`
certs = `+write(kind+"-chain.pem", others)+`
signer_key = `+write(kind+".key", key)+`
signer_digest = sha384
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
`+extra)
	server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		query := write(kind+".tsq", string(must(io.ReadAll(request.Body))))
		command := exec.Command("openssl", "ts", "-reply", "-queryfile", query, "-config", config, "-section", "tsa")
		response.Header().Set("Content-Type", "application/timestamp-reply")
		response.Write(must(command.Output()))
	}))
	return server.URL
}

func main() {
	folder := must(os.MkdirTemp("", "notation-fixtures"))
	defer os.RemoveAll(folder)

	root := ca("Wabbit Root CA", "rsa3072", nil)
	intermediate := ca("Wabbit Code Signing CA", "p384", root)
	timeStamping := x509.Certificate{
		Subject: name("Wabbit TSA"), KeyUsage: x509.KeyUsageDigitalSignature,
		// RFC 3161, 2.3: only this usage, and critical, which Go does not set by itself.
		ExtraExtensions: []pkix.Extension{{
			Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true,
			Value: must(asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})),
		}},
	}
	tsaRoots := map[string]*authority{"rsa": ca("Wabbit TSA Root RSA", "rsa2048", nil), "ec": ca("Wabbit TSA Root EC", "p256", nil)}
	tsaCa := ca("Wabbit TSA CA", "p384", tsaRoots["ec"])
	urls := map[string]string{
		"rsa": startTsa(folder, "rsa", "default_policy = 1.2.3.4.1\n", issue(timeStamping, "rsa2048", tsaLifetime, tsaRoots["rsa"]), tsaRoots["rsa"]),
		"ec":  startTsa(folder, "ec", "default_policy = 0.4.0.2023.1.1\naccuracy = secs:1, millisecs:500, microsecs:100\nclock_precision_digits = 3\ntsa_name = yes\nordering = yes\ness_cert_id_chain = yes\n", issue(timeStamping, "p256", tsaLifetime, tsaCa), tsaCa),
	}

	image := []byte(`{"schemaVersion":2,"mediaType":"` + imageMediaType + `","manifests":[]}`)
	result := fixtures{
		Subject:  ocispec.Descriptor{MediaType: imageMediaType, Digest: digestOf(image), Size: int64(len(image))},
		Ca:       pemOf(root.cert),
		Tsa:      map[string]string{"rsa": pemOf(tsaRoots["rsa"].cert), "ec": pemOf(tsaRoots["ec"].cert)},
		SignedAt: now, NotAfter: now.Add(leafLifetime), Expiry: now.Add(expiresAfter),
		Signatures: map[string]fixture{},
	}

	type form struct {
		key, tsa string
	}
	for _, one := range []form{{"rsa2048", "rsa"}, {"rsa3072", ""}, {"rsa4096", "ec"}, {"p256", "ec"}, {"p384", ""}, {"p521", "rsa"}} {
		leaf := issue(x509.Certificate{
			Subject: name("wabbit-networks.io"), KeyUsage: x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		}, one.key, leafLifetime, intermediate)
		for format, mediaType := range formats {
			options := notation.SignerSignOptions{SignatureMediaType: mediaType, SigningAgent: signingAgent}
			title := format + " " + one.key
			if one.tsa != "" {
				options.Timestamper = must(tspclient.NewHTTPTimestamper(nil, urls[one.tsa]))
				options.TSARootCAs = x509.NewCertPool()
				options.TSARootCAs.AddCert(tsaRoots[one.tsa].cert)
				title += ", timestamped by " + one.tsa
			} else {
				options.ExpiryDuration = expiresAfter
				title += ", with expiry"
			}
			one := must(signer.NewGenericSigner(leaf.key, []*x509.Certificate{leaf.cert, intermediate.cert, root.cert}))
			envelope, _, err := one.Sign(context.Background(), result.Subject, options)
			result.Signatures[title] = fixture{mediaType, must(envelope, err)}
		}
		if one.key == "p256" {
			for format, mediaType := range formats {
				result.Signatures[format+" by a signing authority"] = fixture{mediaType, signAsAuthority(mediaType, leaf, intermediate, root, result.Subject)}
			}
		}
	}

	output := must(json.MarshalIndent(result, "", "  "))
	os.Stdout.Write(append(bytes.TrimSpace(output), '\n'))
}

// signAsAuthority signs with the scheme notary.x509.signingAuthority.
func signAsAuthority(mediaType string, leaf, intermediate, root *authority, subject ocispec.Descriptor) []byte {
	payload := must(json.Marshal(map[string]any{"targetArtifact": subject}))
	local := must(signature.NewLocalSigner([]*x509.Certificate{leaf.cert, intermediate.cert, root.cert}, leaf.key))
	envelope := must(signature.NewEnvelope(mediaType))
	return must(envelope.Sign(&signature.SignRequest{
		Payload:       signature.Payload{ContentType: "application/vnd.cncf.notary.payload.v1+json", Content: payload},
		Signer:        local,
		SigningTime:   now,
		SigningScheme: signature.SigningSchemeX509SigningAuthority,
	}))
}
