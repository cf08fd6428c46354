// Writes what Go's regexp package says about generated patterns and values, one JSON object a line:
//
//	{"pattern":"main|develop","accepted":true,"values":["main","main-attacker"],"verdicts":"10"}
//
// "accepted": the pattern compiles alone and inside \A(?:…)\z. "verdicts" has a digit a value: 1 when the wrapped
// pattern matches it. The output depends on nothing but this file and the version of Go.
package main

import (
	"bufio"
	"encoding/json"
	"math/rand"
	"os"
	"regexp"
	"strconv"
	"strings"
)

const generated = 2200

type line struct {
	Pattern  string   `json:"pattern"`
	Accepted bool     `json:"accepted"`
	Values   []string `json:"values"`
	Verdicts string   `json:"verdicts"`
}

// Patterns that somebody writes, or that somebody tries.
var chosen = []string{
	`main`, `main|develop`, `(main|develop)`, `^main$`, `^main|develop$`, `main$`, `^main`, `release/.*`, `release-\d+\.\d+`,
	`v\d+(\.\d+){2}`, `.*`, `.+`, ``, `|`, `()`, `(?:)`, `a)(b`, `a)|(?:b`, `main)|(?:.*`, `)`, `(`, `((`, `\A`, `\z`, `\Amain\z`, `$`, `^`,
	`main\z|evil`, `\Qmain`, `\Qmain\E`, `\Qa)|(?:b`, `\Qa)|(?:b\E`, `\E`, `\Q\E*`, `a\`, `a\\`, `[`, `[a`, `[a\`, `[]a]`, `[^]a]`, `[b-a]`,
	`(?i)MAIN`, `(?i)k`, `(?i)s`, `(?i:m)ain`, `(?s).*`, `(?m)^main$`, `(?m)^a$\nb`, `(?U)a+`, `(?x)a b`, `(?-i)a`, `(?i-s)A.`, `(?`, `(?P`, `(?P<n>a)`,
	`(?<n>a)`, `(?P<n>a)(?P<n>b)`, `(?P<1>a)`, `(?P=n)`, `(?=a)`, `(?!a)`, `(?<=a)`, `(?<!a)b`, `(?>a)`, `(a)\1`, `\1`, `\8`, `\0`, `\07`, `\377`, `\400`,
	`a**`, `a*+`, `a++`, `a??`, `a?+`, `*a`, `+`, `?`, `a{2}`, `a{2,}`, `a{,2}`, `a{2,1}`, `a{1000}`, `a{1001}`, `(a{100}){10}`, `(a{100}){11}`, `{`, `a{`, `a{x}`,
	`\d\w\s`, `\D\W\S`, `\b`, `\bmain\b`, `\Bmain`, `\h`, `\R`, `\X`, `\C`, `\Z`, `\G`, `\K`, `\e`, `\a\f\t\n\r\v`, `\/`, `\_`, `\-`, `\ `, `\é`, `\x41`, `\x{41}`, `\x{1F600}`, `\x{110000}`, `\x{`, `\x4`, `\u0041`, `\cA`,
	`[[:alpha:]]+`, `[[:^alpha:]]`, `[[:word:]]+`, `[[:nope:]]`, `[:alpha:]`, `[\d-z]`, `[a-\d]`, `[\w.-]+`, `[^\x00-\x{10FFFF}]`, `[\pL]`, `\pL+`, `\p{L}`, `\PL`, `\p{^L}`, `\p{Lu}+`, `\p{Greek}`, `\p{Nope}`, `\p`, `\p{`,
	"é", "[é-ü]+", "😀", "[😀-😎]", "日本.*", "(?i)É", "(?i)ß", "(?i)ſ", "K",
}

var atoms = []string{
	`a`, `b`, `m`, `main`, `develop`, `release`, `-`, `/`, `\.`, `.`, `\d`, `\w`, `\D`, `\W`, `[a-c]`, `[^a]`, `[a-z0-9-]`, `[[:alpha:]]`, `\pL`, `\p{Lu}`, `\P{Ll}`, `^`, `$`, `\A`, `\z`, `\b`, `\B`, `é`, `😀`,
	`\x41`, `\Qa|b\E`, `(?i)`, `(?s)`, `(?m)`, `1`, `0`, `_`, `A`, `\-`, `[\d.]`, `[^\w]`, `\s`, `\S`, `,`,
}

var broken = []string{`(`, `)`, `[`, `]`, `\`, `*`, `+`, `?`, `{`, `}`, `{2`, `{2,1}`, `\Q`, `\E`, `(?`, `(?P<`, `\p{`, `\1`, `**`, `|`, `)(`, `(?=`, `{1001}`}

var pieces = []string{
	`a`, `b`, `c`, `m`, `main`, `develop`, `release`, `-`, `/`, `.`, `1`, `0`, `23`, `A`, `MAIN`, `_`, `é`, `É`, `😀`, `attacker`, `|`, `K`, `ß`, `λ`, `,`, `\`, `(`, `)`, `$`, "\n", " ",
}

func pattern(r *rand.Rand, depth int) string {
	var b strings.Builder
	for range 1 + r.Intn(3) {
		var one string
		switch {
		case depth > 0 && r.Intn(3) == 0:
			open := []string{`(`, `(?:`, `(?i:`, `(?s:`, groupName()}[r.Intn(5)]
			one = open + pattern(r, depth-1) + `)`
		case r.Intn(40) == 0:
			one = broken[r.Intn(len(broken))]
		default:
			one = atoms[r.Intn(len(atoms))]
		}
		b.WriteString(one)
		if r.Intn(3) == 0 {
			b.WriteString([]string{`*`, `+`, `?`, `*?`, `+?`, `??`, `{2}`, `{1,3}`, `{0,}`, `{0}`}[r.Intn(10)])
		}
		if r.Intn(6) == 0 {
			b.WriteString(`|`)
		}
	}
	return b.String()
}

var groups int

// RE2 refuses two groups of one name, Go does not: every name here is another.
func groupName() string {
	groups++
	return `(?P<n` + strconv.Itoa(groups) + `>`
}

func value(r *rand.Rand) string {
	var b strings.Builder
	for range r.Intn(5) {
		b.WriteString(pieces[r.Intn(len(pieces))])
	}
	return b.String()
}

// A value that the pattern's own text suggests, so that matches are not rare.
func suggested(r *rand.Rand, p string) string {
	alternatives := strings.FieldsFunc(p, func(c rune) bool { return strings.ContainsRune(`|()[]{}*+?^$\`, c) })
	if len(alternatives) == 0 {
		return value(r)
	}
	text := strings.ReplaceAll(strings.Join(alternatives[:1+r.Intn(len(alternatives))], ""), ".", "x")
	if r.Intn(3) == 0 {
		text += []string{"-attacker", "\n", "x", "/"}[r.Intn(4)]
	}
	return text
}

func judge(p string, values []string) line {
	_, alone := regexp.Compile(p)
	wrapped, inside := regexp.Compile(`\A(?:` + p + `)\z`)
	if alone != nil || inside != nil {
		return line{Pattern: p, Values: []string{}}
	}
	var verdicts strings.Builder
	for _, v := range values {
		if wrapped.MatchString(v) {
			verdicts.WriteByte('1')
		} else {
			verdicts.WriteByte('0')
		}
	}
	return line{Pattern: p, Accepted: true, Values: values, Verdicts: verdicts.String()}
}

func main() {
	r := rand.New(rand.NewSource(20261121))
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	write := func(p string) {
		values := []string{"", "main", "main-attacker", suggested(r, p), suggested(r, p), value(r), value(r)}
		if err := encoder.Encode(judge(p, values)); err != nil {
			panic(err)
		}
	}
	for _, p := range chosen {
		write(p)
	}
	for range generated {
		write(pattern(r, 2))
	}
}
