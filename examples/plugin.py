# SPDX-License-Identifier: BSD-2-Clause
"""A program of BPF in a process that knows nothing of jitframe: compiled, run and caught from Python.

    python3 plugin.py [libjitframe.so.0]
"""

import ctypes
import sys
from ctypes import POINTER, Structure, byref, c_bool, c_char, c_char_p, c_int, c_int16, c_int32, c_size_t, c_uint8, \
    c_uint32, c_uint64, c_void_p

JF_OK, JF_CAUGHT = 0, 2


# ---- structs of <jitframe/program.h> and <jitframe/status.h> ---------------------------------------------------------

class Insn(Structure):
    _fields_ = [("opcode", c_uint8), ("regs", c_uint8), ("off", c_int16), ("imm", c_int32)]


class Function(Structure):
    _fields_ = [("name", c_char_p), ("insns", POINTER(Insn)), ("insn_count", c_uint32)]


class CValue(Structure):
    _fields_ = [("bytes", c_uint8), ("is_signed", c_bool)]


class Import(Structure):
    _fields_ = [("name", c_char_p), ("address", c_uint64), ("throws", c_bool), ("arg_count", c_uint8),
                ("result", CValue), ("args", CValue * 12)]


class Program(Structure):
    """The fields up to the kfuncs: `size` tells the library that the rest is not there."""
    _fields_ = [("size", c_uint32), ("functions", POINTER(Function)), ("function_count", c_uint32),
                ("callback", c_int32), ("helpers", POINTER(Import)), ("helper_count", c_uint32),
                ("kfuncs", POINTER(Import)), ("kfunc_count", c_uint32)]


class Error(Structure):
    _fields_ = [("status", c_int), ("where", c_char * 64), ("text", c_char * 192)]


class Backend(Structure):
    _fields_ = [("size", c_uint32), ("name", c_char_p)]


# ---- the library ---------------------------------------------------------------------------------------------------

def open_library(path):
    library = ctypes.CDLL(path)
    library.jf_backend_host.restype = POINTER(Backend)
    library.jf_convention_find.argtypes = [c_char_p, POINTER(c_void_p), POINTER(Error)]
    library.jf_load.argtypes = [c_void_p, POINTER(Program), c_void_p, c_void_p, POINTER(c_void_p), POINTER(Error)]
    library.jf_run.argtypes = [c_void_p, c_uint64]
    library.jf_run.restype = c_uint64
    library.jf_unload.argtypes = [c_void_p]
    library.jf_try.argtypes = [c_void_p, c_void_p, POINTER(c_uint64)]
    return library


def address_of(function):
    return ctypes.cast(function, c_void_p).value


def load(library, insns, throws):
    """A program of one function, whose kfunc 0 is jf_throw(). `throws`: the program is to catch by itself."""
    code = (Insn * len(insns))(*(Insn(*fields) for fields in insns))
    functions = (Function * 1)(Function(b"main", code, len(insns)))
    kfuncs = (Import * 1)(Import(name=b"bpf_throw", address=address_of(library.jf_throw), throws=throws))
    program = Program(ctypes.sizeof(Program), functions, 1, -1, None, 0, kfuncs, 1)
    conv, loaded, error = c_void_p(), c_void_p(), Error()
    target = library.jf_backend_host().contents.name + b"/user"
    if library.jf_convention_find(target, byref(conv), byref(error)) != JF_OK or \
       library.jf_load(conv, byref(program), None, None, byref(loaded), byref(error)) != JF_OK:
        sys.exit(f"{error.where.decode()}: {error.text.decode()}")
    return loaded


DOUBLE_OR_THROW = [
    (0xbf, 0x10, 0, 0),   # r0 = r1
    (0xb5, 0x01, 1, 100), # if r1 <= 100 goto +1
    (0x85, 0x20, 0, 0),   # call jf_throw: r1 is the cookie
    (0x67, 0x00, 0, 1),   # r0 <<= 1
    (0x95, 0x00, 0, 0),   # exit
]
THROW_7 = [
    (0xb7, 0x01, 0, 7),   # r1 = 7
    (0x85, 0x20, 0, 0),   # call jf_throw
    (0x95, 0x00, 0, 0),   # exit
]


def main():
    library = open_library(sys.argv[1] if len(sys.argv) > 1 else "libjitframe.so.0")
    program = load(library, DOUBLE_OR_THROW, throws=True)
    print("main(21) =", library.jf_run(program, 21))
    print("main(150) threw", library.jf_run(program, 150))  # the default callback returns the cookie

    # Who does not know whether a program catches: jf_try() runs jf_run(program, anything).
    thrower, cookie = load(library, THROW_7, throws=False), c_uint64()
    status = library.jf_try(address_of(library.jf_run), thrower, byref(cookie))
    print("jf_try() caught", cookie.value if status == JF_CAUGHT else f"nothing: status {status}")
    return library.jf_unload(program) or library.jf_unload(thrower)


sys.exit(main())
