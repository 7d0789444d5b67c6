import TacitDemo.Monoid
import TacitDemo.Order
import TacitDemo.Sort
