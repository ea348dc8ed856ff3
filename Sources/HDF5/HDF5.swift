// HDF5 reads and writes HDF5 files through libhdf5. It knows nothing of tensors or Keras.
