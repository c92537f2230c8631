#!/bin/sh
# Runs in the builder image, in a folder with the unpacked sources: fills OUT with the files of each library.
#   build-libraries.sh OUT
set -e
out=$1
mkdir -p "$out/libffi" "$out/zlib/usr/include" "$out/zlib/usr/lib/pkgconfig"

(cd libffi-*/ && ./configure --prefix=/usr --disable-static --disable-docs --disable-multi-os-directory --disable-exec-static-tramp && make -j2 && make install DESTDIR="$out/libffi")
rm -rf "$out"/libffi/usr/lib/*.la "$out"/libffi/usr/share

# The library itself lies in the images already, as it does on Alpine.
cp zlib-*/zlib.h zlib-*/zconf.h "$out/zlib/usr/include/"
library=$(readlink /usr/lib/libz.so.1)
ln -s "$library" "$out/zlib/usr/lib/libz.so"
cat > "$out/zlib/usr/lib/pkgconfig/zlib.pc" <<P
prefix=/usr
Name: zlib
Description: zlib compression library
Version: ${library#libz.so.}
Libs: -L\${prefix}/lib -lz
Cflags: -I\${prefix}/include
P

# tiny NAME: a library with a header, for things that no table of ours knows.
tiny() {
  mkdir -p "$out/$1/usr/lib/pkgconfig" "$out/$1/usr/include/$1" "$out/$1/usr/bin"
  printf 'int %s_turns(void);\n' "$1" > "$out/$1/usr/include/$1/$1.h"
  printf 'int %s_turns(void) { return 7; }\n' "$1" > "$1.c"
  gcc -O2 -fPIC -shared -Wl,-soname,"lib$1.so.1" "$1.c" -o "$out/$1/usr/lib/lib$1.so.1.0.0"
  ln -s "lib$1.so.1.0.0" "$out/$1/usr/lib/lib$1.so.1"
  ln -s "lib$1.so.1.0.0" "$out/$1/usr/lib/lib$1.so"
}
tiny bobbin
printf 'Name: bobbin\nDescription: found by its pkg-config module\nVersion: 1.0.0\nLibs: -lbobbin\nCflags:\n' > "$out/bobbin/usr/lib/pkgconfig/bobbin.pc"
tiny spindle
printf '#!/bin/sh\ncase $1 in --cflags) echo ;; --libs) echo -lspindle ;; esac\n' > "$out/spindle/usr/bin/spindle-config"
chmod 755 "$out/spindle/usr/bin/spindle-config"
tiny selvage
rmdir "$out"/*/usr/bin "$out"/*/usr/lib/pkgconfig 2>/dev/null || true
