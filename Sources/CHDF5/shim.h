#pragma once
// The 1.10 names and structs, whichever newer libhdf5 is installed.
#define H5_USE_110_API 1
#include <hdf5.h>

// The type constants are macros that open the library first: Swift imports no such macro, and
// rejects the mutable globals behind them.
#define CHDF5_TYPE(swift_name, c_name) \
  static inline hid_t chdf5_##swift_name(void) { return c_name; }
CHDF5_TYPE(native_float, H5T_NATIVE_FLOAT)
CHDF5_TYPE(native_double, H5T_NATIVE_DOUBLE)
CHDF5_TYPE(native_int8, H5T_NATIVE_INT8)
CHDF5_TYPE(native_int64, H5T_NATIVE_INT64)
CHDF5_TYPE(native_uint64, H5T_NATIVE_UINT64)
CHDF5_TYPE(file_float32, H5T_IEEE_F32LE)
CHDF5_TYPE(file_float64, H5T_IEEE_F64LE)
CHDF5_TYPE(file_int8, H5T_STD_I8LE)
CHDF5_TYPE(file_int16, H5T_STD_I16LE)
CHDF5_TYPE(file_int32, H5T_STD_I32LE)
CHDF5_TYPE(file_int64, H5T_STD_I64LE)
CHDF5_TYPE(file_uint8, H5T_STD_U8LE)
CHDF5_TYPE(file_uint16, H5T_STD_U16LE)
CHDF5_TYPE(file_uint32, H5T_STD_U32LE)
CHDF5_TYPE(file_uint64, H5T_STD_U64LE)
CHDF5_TYPE(c_string, H5T_C_S1)
#undef CHDF5_TYPE

// Property list classes are macros of the same kind.
#define CHDF5_CLASS(swift_name, c_name) \
  static inline hid_t chdf5_class_##swift_name(void) { return c_name; }
CHDF5_CLASS(file_access, H5P_FILE_ACCESS)
CHDF5_CLASS(file_create, H5P_FILE_CREATE)
CHDF5_CLASS(group_create, H5P_GROUP_CREATE)
CHDF5_CLASS(dataset_create, H5P_DATASET_CREATE)
CHDF5_CLASS(attribute_create, H5P_ATTRIBUTE_CREATE)
CHDF5_CLASS(link_create, H5P_LINK_CREATE)
#undef CHDF5_CLASS

// Macros with casts or aliases in them.
static inline herr_t chdf5_set_variable_length(hid_t type) {
  return H5Tset_size(type, H5T_VARIABLE);
}
static inline hsize_t chdf5_unlimited(void) { return H5S_UNLIMITED; }
static inline herr_t chdf5_set_latest_format(hid_t access) {
  return H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
}
static inline unsigned chdf5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned chdf5_read_write(void) { return H5F_ACC_RDWR; }
static inline unsigned chdf5_truncate(void) { return H5F_ACC_TRUNC; }

// Versioned macros: Swift sees none of them, and the struct behind them differs by version.
static inline herr_t chdf5_link_info(hid_t file, const char *path, int *type, size_t *value_size) {
  H5L_info_t info;
  herr_t status = H5Lget_info(file, path, &info, H5P_DEFAULT);
  if (status < 0) return status;
  *type = (int)info.type;
  *value_size = info.type == H5L_TYPE_HARD ? 0 : info.u.val_size;
  return status;
}

static inline herr_t chdf5_object_info(hid_t object, int *type, unsigned long long *address) {
  H5O_info_t info;
  herr_t status = H5Oget_info(object, &info);
  if (status < 0) return status;
  *type = (int)info.type;
  *address = (unsigned long long)info.addr;
  return status;
}

static inline hid_t chdf5_open_object(hid_t file, const char *path) {
  return H5Oopen(file, path, H5P_DEFAULT);
}

typedef void (*chdf5_name_visitor)(const char *name, void *names);
typedef struct {
  chdf5_name_visitor visit;
  void *names;
} chdf5_names;

static inline herr_t chdf5_visit_link(
    hid_t group, const char *name, const H5L_info_t *info, void *data) {
  (void)group, (void)info;
  ((chdf5_names *)data)->visit(name, ((chdf5_names *)data)->names);
  return 0;
}

static inline herr_t chdf5_link_names(hid_t group, chdf5_name_visitor visit, void *names) {
  chdf5_names data = {visit, names};
  return H5Literate(
      group, H5_INDEX_NAME, H5_ITER_INC, NULL, chdf5_visit_link, &data);
}

static inline herr_t chdf5_visit_attribute(
    hid_t object, const char *name, const H5A_info_t *info, void *data) {
  (void)object, (void)info;
  ((chdf5_names *)data)->visit(name, ((chdf5_names *)data)->names);
  return 0;
}

static inline herr_t chdf5_attribute_names(hid_t object, chdf5_name_visitor visit, void *names) {
  chdf5_names data = {visit, names};
  return H5Aiterate2(
      object, H5_INDEX_NAME, H5_ITER_INC, NULL, chdf5_visit_attribute, &data);
}
