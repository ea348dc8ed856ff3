internal import CHDF5

extension HDF5ElementType {
  /// What a libhdf5 type is.
  init(describing type: hid_t) {
    let bits = quietly(H5Tget_size(type)) * 8
    switch quietly(H5Tget_class(type)) {
    case H5T_FLOAT: self = Self.float(type)
    case H5T_INTEGER: self = Self.integer(type, bits: bits)
    case H5T_STRING: self = Self.string(type, length: bits / 8)
    case H5T_ENUM: self = Self.enumeration(type, bits: bits)
    case H5T_COMPOUND: self = .unsupported("compound")
    case H5T_OPAQUE: self = .unsupported("opaque of \(bits / 8) bytes")
    case H5T_BITFIELD: self = .unsupported("bit field of \(bits) bits")
    case H5T_REFERENCE: self = .unsupported("reference")
    case H5T_VLEN: self = .unsupported("variable-length sequence")
    case H5T_ARRAY: self = .unsupported("array")
    case H5T_TIME: self = .unsupported("time")
    default: self = .unsupported("unknown type")
    }
  }

  private static func float(_ type: hid_t) -> HDF5ElementType {
    var (sign, exponentAt, exponent, mantissaAt, mantissa) = (0, 0, 0, 0, 0)
    quietly(H5Tget_fields(type, &sign, &exponentAt, &exponent, &mantissaAt, &mantissa))
    let size = quietly(H5Tget_size(type))
    switch (size, exponent, mantissa, quietly(H5Tget_ebias(type))) {
    case (2, 5, 10, 15): return .float16
    case (4, 8, 23, 127): return .float32
    case (8, 11, 52, 1023): return .float64
    default: return .otherFloat(bits: size * 8)
    }
  }

  private static func integer(_ type: hid_t, bits: Int) -> HDF5ElementType {
    let signed = quietly(H5Tget_sign(type)) == H5T_SGN_2
    switch (quietly(H5Tget_precision(type)), bits, signed) {
    case (8, 8, true): return .int8
    case (16, 16, true): return .int16
    case (32, 32, true): return .int32
    case (64, 64, true): return .int64
    case (8, 8, false): return .uint8
    case (16, 16, false): return .uint16
    case (32, 32, false): return .uint32
    case (64, 64, false): return .uint64
    default: return .otherInteger(bits: bits, signed: signed)
    }
  }

  private static func string(_ type: hid_t, length: Int) -> HDF5ElementType {
    let encoding: HDF5StringEncoding =
      quietly(H5Tget_cset(type)) == H5T_CSET_UTF8 ? .utf8 : .ascii
    if quietly(H5Tis_variable_str(type)) > 0 { return .variableString(encoding: encoding) }
    let padding: HDF5StringPadding =
      switch quietly(H5Tget_strpad(type)) {
      case H5T_STR_NULLTERM: .nullTerminated
      case H5T_STR_SPACEPAD: .spacePadded
      default: .nullPadded
      }
    return .fixedString(length: length, padding: padding, encoding: encoding)
  }

  private static func enumeration(_ type: hid_t, bits: Int) -> HDF5ElementType {
    let base = quietly(H5Tget_super(type))
    defer { release(base) }
    if bits == 8, quietly(H5Tget_nmembers(type)) == 2,
      memberValue(type, "FALSE") == 0, memberValue(type, "TRUE") == 1
    {
      return .boolean
    }
    return .enumeration(bits: bits, signed: quietly(H5Tget_sign(base)) == H5T_SGN_2)
  }

  private static func memberValue(_ type: hid_t, _ name: String) -> Int8? {
    var value: Int8 = 0
    return quietly(H5Tenum_valueof(type, name, &value)) >= 0 ? value : nil
  }

  /// A new libhdf5 type for files, little-endian; the caller releases it.
  func fileType(_ place: HDF5Place) throws(HDF5Error) -> hid_t {
    switch self {
    case .float16: return try Self.half(place)
    case .float32: return try copy(chdf5_file_float32(), place)
    case .float64: return try copy(chdf5_file_float64(), place)
    case .int8: return try copy(chdf5_file_int8(), place)
    case .int16: return try copy(chdf5_file_int16(), place)
    case .int32: return try copy(chdf5_file_int32(), place)
    case .int64: return try copy(chdf5_file_int64(), place)
    case .uint8: return try copy(chdf5_file_uint8(), place)
    case .uint16: return try copy(chdf5_file_uint16(), place)
    case .uint32: return try copy(chdf5_file_uint32(), place)
    case .uint64: return try copy(chdf5_file_uint64(), place)
    case .boolean: return try Self.booleans(place)
    case .fixedString, .variableString: return try stringType(place)
    case .otherFloat, .otherInteger, .enumeration, .unsupported:
      throw .wrongType(place, expected: "a type that can be created", found: description)
    }
  }

  private func copy(_ type: @autoclosure () -> hid_t, _ place: HDF5Place) throws(HDF5Error) -> hid_t
  {
    try check(place, "make a type for", H5Tcopy(type()))
  }

  /// IEEE 754 binary16, little-endian, which libhdf5 1.10 has no constant for.
  private static func half(_ place: HDF5Place) throws(HDF5Error) -> hid_t {
    let type = try check(place, "make a type for", H5Tcopy(chdf5_file_float32()))
    quietly(H5Tset_fields(type, 15, 10, 5, 0, 10))
    quietly(H5Tset_size(type, 2))
    quietly(H5Tset_ebias(type, 15))
    return type
  }

  /// The enumeration that h5py writes and recognises for booleans.
  private static func booleans(_ place: HDF5Place) throws(HDF5Error) -> hid_t {
    let type = try check(place, "make a type for", H5Tenum_create(chdf5_file_int8()))
    for (name, value) in [("FALSE", Int8(0)), ("TRUE", Int8(1))] {
      var value = value
      quietly(H5Tenum_insert(type, name, &value))
    }
    return type
  }

  private func stringType(_ place: HDF5Place) throws(HDF5Error) -> hid_t {
    let type = try check(place, "make a type for", H5Tcopy(chdf5_c_string()))
    switch self {
    case .fixedString(let length, let padding, let encoding):
      quietly(H5Tset_size(type, max(length, 1)))
      quietly(H5Tset_strpad(type, padding.constant))
      quietly(H5Tset_cset(type, encoding.constant))
    case .variableString(let encoding):
      quietly(chdf5_set_variable_length(type))
      quietly(H5Tset_cset(type, encoding.constant))
    default: break
    }
    return type
  }
}

extension HDF5StringPadding {
  var constant: H5T_str_t {
    switch self {
    case .nullTerminated: H5T_STR_NULLTERM
    case .nullPadded: H5T_STR_NULLPAD
    case .spacePadded: H5T_STR_SPACEPAD
    }
  }
}

extension HDF5StringEncoding {
  var constant: H5T_cset_t {
    switch self {
    case .ascii: H5T_CSET_ASCII
    case .utf8: H5T_CSET_UTF8
    }
  }
}
