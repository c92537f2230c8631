#!/bin/sh
# Runs inside the builder image: fills zig's cache with what every build would make anew (libc stub, compiler-rt and
# libc++, each with and without optimisation). 2 minutes on an idle machine.
set -e
mkdir -p "$ZIG_GLOBAL_CACHE_DIR"
cd /tmp
cat > w.c <<'C'
#include <stdlib.h>
void *f(int n){return malloc(n);}
C
cat > w.cc <<'C'
#include <string>
#include <vector>
#include <stdexcept>
extern "C" int g(int n){try{std::vector<std::string> v(n,"x");if(n>5)throw std::runtime_error("e");return v.size();}catch(std::exception&){return -1;}}
C
echo 'int main(void){return 0;}' > m.c
gcc -O3 -fPIC -shared w.c -o a.so; gcc -shared -fPIC w.c -o b.so; gcc -O2 m.c -o m; gcc m.c -o m; ./m
g++ -O3 -fPIC -shared w.cc -o c.so; g++ -fPIC -shared w.cc -o d.so
rm -rf /tmp/* "$ZIG_GLOBAL_CACHE_DIR"/tmp/*
chmod -R a+rX "$ZIG_GLOBAL_CACHE_DIR"
