/** The dynamic symbols of libz.so.1, found with `nm -D` on Debian's zlib 1.2.13 (1.3.1 exports the same). */
export const ZLIB_SYMBOLS = `
adler32 adler32_combine adler32_combine64 adler32_z compress compress2 compressBound crc32 crc32_combine crc32_combine64
crc32_combine_gen crc32_combine_gen64 crc32_combine_op crc32_z deflate deflateBound deflateCopy deflateEnd deflateGetDictionary
deflateInit2_ deflateInit_ deflateParams deflatePending deflatePrime deflateReset deflateResetKeep deflateSetDictionary deflateSetHeader
deflateTune get_crc_table gzbuffer gzclearerr gzclose gzclose_r gzclose_w gzdirect gzdopen gzeof gzerror gzflush gzfread gzfwrite gzgetc
gzgetc_ gzgets gzoffset gzoffset64 gzopen gzopen64 gzprintf gzputc gzputs gzread gzrewind gzseek gzseek64 gzsetparams gztell gztell64
gzungetc gzvprintf gzwrite inflate inflateBack inflateBackEnd inflateBackInit_ inflateCodesUsed inflateCopy inflateEnd
inflateGetDictionary inflateGetHeader inflateInit2_ inflateInit_ inflateMark inflatePrime inflateReset inflateReset2 inflateResetKeep
inflateSetDictionary inflateSync inflateSyncPoint inflateUndermine inflateValidate uncompress uncompress2 zError zlibCompileFlags
zlibVersion`
