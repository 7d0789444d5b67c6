"""Where candidate tactics come from: one small class a source, behind one Protocol."""
