// Protogen turns the .proto files named on the command line, relative to the
// module root, into Go in the same directories, with methods that keep the contents of
// messages out of logs. It needs nothing but the Go toolchain: the compiler is a library
// and the generator is run from the module cache.
//
// With -check first it writes nothing and fails when a Go file is not what it
// would write.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// generator writes the same Go as the protobuf runtime in go.mod expects.
var generator = []string{"run", "google.golang.org/protobuf/cmd/protoc-gen-go"}

func main() {
	files, keep := os.Args[1:], write
	if len(files) > 0 && files[0] == "-check" {
		files, keep = files[1:], compare
	}
	if err := run(files, keep); err != nil {
		fmt.Fprintln(os.Stderr, "protogen:", err)
		os.Exit(1)
	}
}

// write makes content the file's.
func write(name string, content []byte) error {
	return os.WriteFile(name, content, 0o644)
}

// compare fails when content is not the file's.
func compare(name string, content []byte) error {
	old, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if !bytes.Equal(old, content) {
		return fmt.Errorf("%s is not what its .proto says; run make proto", name)
	}
	return nil
}

// run generates the Go of files and passes each result to keep.
func run(files []string, keep func(name string, content []byte) error) error {
	if len(files) == 0 {
		return nil
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	compiled, err := compiler.Compile(context.Background(), files...)
	if err != nil {
		return err
	}
	request := &pluginpb.CodeGeneratorRequest{FileToGenerate: files, Parameter: proto.String("paths=source_relative")}
	seen := map[string]bool{}
	for _, file := range compiled {
		request.ProtoFile = withImports(request.ProtoFile, seen, file)
	}
	response, err := generate(request)
	if err != nil {
		return err
	}
	for _, file := range response.File {
		err = errors.Join(err, keep(filepath.FromSlash(file.GetName()), []byte(file.GetContent())))
	}
	for _, file := range compiled {
		if name, content := redaction(file); name != "" {
			err = errors.Join(err, keep(filepath.FromSlash(name), []byte(content)))
		}
	}
	return err
}

// withImports appends file after everything it imports.
func withImports(all []*descriptorpb.FileDescriptorProto, seen map[string]bool, file protoreflect.FileDescriptor) []*descriptorpb.FileDescriptorProto {
	if seen[file.Path()] {
		return all
	}
	seen[file.Path()] = true
	for i := range file.Imports().Len() {
		all = withImports(all, seen, file.Imports().Get(i).FileDescriptor)
	}
	if withSource, ok := file.(interface {
		FileDescriptorProto() *descriptorpb.FileDescriptorProto
	}); ok {
		return append(all, withSource.FileDescriptorProto())
	}
	return append(all, protodesc.ToFileDescriptorProto(file))
}

func generate(request *pluginpb.CodeGeneratorRequest) (*pluginpb.CodeGeneratorResponse, error) {
	in, err := proto.Marshal(request)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	cmd := exec.Command("go", generator...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go %s: %w", strings.Join(generator, " "), err)
	}
	response := &pluginpb.CodeGeneratorResponse{}
	if err := proto.Unmarshal(out.Bytes(), response); err != nil {
		return nil, err
	}
	if response.Error != nil {
		return nil, fmt.Errorf("%s", response.GetError())
	}
	return response, nil
}
